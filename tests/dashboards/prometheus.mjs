// The HTTP API of Prometheus.

export class Prometheus {
  constructor(url) {
    this.url = url.replace(/\/$/, '');
  }

  async #get(path, parameters) {
    const response = await fetch(`${this.url}/api/v1/${path}?${new URLSearchParams(parameters)}`);
    const body = await response.json();
    if (body.status !== 'success') throw new Error(body.error);
    return body.data;
  }

  /** Returns the series at a time, as [{ metric, values: [[seconds, text]] }]. */
  async instant(query, time) {
    const { resultType, result } = await this.#get('query', { query, time });
    if (resultType === 'scalar') return [{ metric: {}, values: [result] }];
    return result.map(({ metric, value }) => ({ metric, values: [value] }));
  }

  async range(query, start, end, step) {
    return (await this.#get('query_range', { query, start, end, step })).result;
  }

  /** Returns the values that a label of the selected series has in this time. */
  labelValues(selector, label, { from, to }) {
    return this.#get(`label/${label}/values`, { 'match[]': selector, start: from, end: to });
  }
}
