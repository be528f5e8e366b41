// Renders a Helm chart for the tests, because Debian has no helm. Helm is text/template with the functions of sprig and
// a few of its own; those that the chart uses are here, and others are errors.
//
// Reads {"chart": directory, "release": name, "namespace": name, "values": {...}} as JSON on standard input, with the
// defaults of values.yaml already merged. Prints {template: text} as JSON.
package main

import (
	"encoding/json"
	"fmt"
	"log"
	"os"
	"path"
	"path/filepath"
	"strings"
	"text/template"

	"github.com/Masterminds/sprig"
	"sigs.k8s.io/yaml"
)

// files is .Files of the chart: every file that is not a template, by its path in the chart.
type files map[string][]byte

func (f files) Get(name string) string { return string(f[name]) }

func (f files) Glob(pattern string) (files, error) {
	found := files{}
	for name, content := range f {
		matches, err := path.Match(pattern, name)
		if err != nil {
			return nil, err
		}
		if matches {
			found[name] = content
		}
	}
	return found, nil
}

func load(chart string) (templates, others files, err error) {
	templates, others = files{}, files{}
	var walk func(directory string) error
	walk = func(directory string) error {
		entries, err := os.ReadDir(filepath.Join(chart, directory))
		if err != nil {
			return err
		}
		for _, entry := range entries {
			name := path.Join(directory, entry.Name())
			if entry.IsDir() {
				if err := walk(name); err != nil {
					return err
				}
				continue
			}
			content, err := os.ReadFile(filepath.Join(chart, name)) // follows links, like Helm
			if err != nil {
				return err
			}
			if strings.HasPrefix(name, "templates/") {
				templates[name] = content
			} else {
				others[name] = content
			}
		}
		return nil
	}
	return templates, others, walk("")
}

// upper returns the fields with the first letter in upper case: appVersion of Chart.yaml is .Chart.AppVersion.
func upper(fields map[string]interface{}) map[string]interface{} {
	result := map[string]interface{}{}
	for name, value := range fields {
		result[strings.ToUpper(name[:1])+name[1:]] = value
	}
	return result
}

func render() (map[string]string, error) {
	var request struct {
		Chart, Release, Namespace string
		Values                    map[string]interface{}
	}
	input := json.NewDecoder(os.Stdin)
	input.UseNumber() // as Helm reads values: 1000000 stays 1000000
	if err := input.Decode(&request); err != nil {
		return nil, err
	}
	templates, others, err := load(request.Chart)
	if err != nil {
		return nil, err
	}
	var chart map[string]interface{}
	if err := yaml.Unmarshal(others["Chart.yaml"], &chart); err != nil {
		return nil, err
	}

	root := template.New("chart").Option("missingkey=zero")
	functions := sprig.TxtFuncMap()
	for _, name := range []string{"env", "expandenv"} {
		delete(functions, name)
	}
	functions["toYaml"] = func(value interface{}) (string, error) {
		text, err := yaml.Marshal(value)
		return strings.TrimSuffix(string(text), "\n"), err
	}
	functions["include"] = func(name string, data interface{}) (string, error) {
		var text strings.Builder
		err := root.ExecuteTemplate(&text, name, data)
		return text.String(), err
	}
	root.Funcs(functions)
	for name, content := range templates {
		if _, err := root.New(name).Parse(string(content)); err != nil {
			return nil, err
		}
	}
	rendered := map[string]string{}
	for name := range templates {
		if strings.HasPrefix(path.Base(name), "_") {
			continue
		}
		var text strings.Builder
		// A map for each template: templates may change theirs.
		err := root.ExecuteTemplate(&text, name, map[string]interface{}{
			"Values":  request.Values,
			"Chart":   upper(chart),
			"Files":   others,
			"Release": map[string]interface{}{"Name": request.Release, "Namespace": request.Namespace, "Service": "Helm"},
		})
		if err != nil {
			return nil, err
		}
		rendered[name] = strings.ReplaceAll(text.String(), "<no value>", "")
	}
	return rendered, nil
}

func main() {
	log.SetFlags(0)
	rendered, err := render()
	if err != nil {
		log.Fatal(err)
	}
	text, err := json.Marshal(rendered)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(string(text))
}
