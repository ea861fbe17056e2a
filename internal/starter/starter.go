// Package starter holds the files that a new user begins with: a first feature, what
// an editor needs to know of the steps, and a CI job. It writes none of them.
package starter

import (
	"bytes"
	"embed"
	"fmt"
	"io/fs"
	"strings"

	"omniloader/steps"
)

// File is one of them.
type File struct {
	Path    string // below the directory, with slashes
	About   string // what it is for, in some words
	Content []byte
}

// Options say what is known of the place the files are for.
type Options struct {
	// Source is where the CI job fetches this program from, OWNER/NAME on GitHub; ""
	// leaves that to a variable of the repository.
	Source string
	// Revision is what it fetches there, "" for the same.
	Revision string
}

//go:embed files
var files embed.FS

// The paths of the files.
const (
	Feature    = "features/first.feature"
	Workflow   = ".github/workflows/omniloader.yml"
	Settings   = ".vscode/settings.json"
	Extensions = ".vscode/extensions.json"
	Steps      = ".vscode/omniloader-steps.js"
)

// Files gives the files in the order to write them.
func Files(o Options) ([]File, error) {
	all := []File{
		{Path: Feature, About: "a first feature, to change"},
		{Path: Settings, About: "tells the Cucumber extension of VS Code where features and steps are"},
		{Path: Extensions, About: "suggests that extension"},
		{Path: Steps, About: "every step, for completion in the editor; nothing runs it", Content: stepsForEditors(steps.Catalogue())},
		{Path: Workflow, About: "a job for GitHub Actions: checks, compares with main, reports"},
	}
	for i := range all {
		f := &all[i]
		if f.Content != nil {
			continue
		}
		content, err := fs.ReadFile(files, "files/"+f.Path[strings.LastIndex(f.Path, "/")+1:])
		if err != nil {
			return nil, err
		}
		f.Content = content
		if f.Path == Workflow {
			f.Content = fillIn(content, o)
		}
	}
	return all, nil
}

// fillIn writes what is known into the CI job.
func fillIn(job []byte, o Options) []byte {
	for _, known := range []struct{ variable, value string }{
		{"${{ vars.OMNILOADER_REPOSITORY }}", o.Source}, {"${{ vars.OMNILOADER_REF }}", o.Revision},
	} {
		if known.value != "" {
			job = bytes.Replace(job, []byte(known.variable), []byte(known.value), 1)
		}
	}
	return job
}

// stepsForEditors writes the catalogue of steps as step definitions in JavaScript,
// the language of Cucumber that its editor extensions read best: from them they
// complete a line and underline one that no step is defined for.
func stepsForEditors(catalogue []steps.Definition) []byte {
	var b bytes.Buffer
	b.WriteString("// The steps of omniloader, for editors only: written by `omniloader init`, run by nothing.\n" +
		"// To write them anew, delete this file and run it again.\n")
	group := ""
	for _, d := range catalogue {
		if d.Group != group {
			group = d.Group
			fmt.Fprintf(&b, "\n// %s\n", group)
		}
		example, _, _ := strings.Cut(d.Example, "\n")
		fmt.Fprintf(&b, "\n// %s\n// Example: %s %s\n", d.Meaning, d.Keyword, example)
		fmt.Fprintf(&b, "%s(/%s/, () => {})\n", d.Keyword, strings.ReplaceAll(d.Pattern, "/", `\/`))
	}
	return b.Bytes()
}
