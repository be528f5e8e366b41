import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { chromium } from 'playwright-core';

function findExecutable(name) {
  for (const directory of process.env.PATH.split(delimiter)) {
    try {
      accessSync(join(directory, name), constants.X_OK);
      return join(directory, name);
    } catch {
      // the next directory
    }
  }
  throw new Error(`${name} is not installed`);
}

/** Starts the system's Chromium without a window. */
export const launchChromium = () =>
  chromium.launch({
    executablePath: findExecutable('chromium'),
    args: ['--disable-dev-shm-usage', ...(process.getuid() === 0 ? ['--no-sandbox'] : [])],
  });
