package steps

import (
	"fmt"
	"path"
	"strconv"

	"omniloader/fixtures"
)

// autoencoderSteps are the Given steps that create releases of sparse autoencoders.
func (w *world) autoencoderSteps(r stepRegistrar) {
	r.Given(`^a release of ([0-9]+) autoencoders? in the layout "([^"]*)"$`, w.autoencoders, stepDoc{
		meaning:  "A release of sparse autoencoders of any size, each with its config and weights, in the layout and the directory of a public repository. The layouts: " + autoencoderLayoutList() + ".",
		example:  `a release of 1600 autoencoders in the layout "gemma-scope-2"`,
		precheck: areAutoencoders,
	})
}

// autoencoderLayoutList lists the layouts for people.
func autoencoderLayoutList() (list string) {
	for i, name := range fixtures.AutoencoderLayouts() {
		if i > 0 {
			list += ", "
		}
		list += name
	}
	return list
}

// areAutoencoders checks the number and the layout of a release.
func areAutoencoders(_ Checkpoints, _ Source, values []string) error {
	n, err := strconv.Atoi(values[0])
	if err != nil || n < 1 || n > fixtures.MaxAutoencoders {
		return errorWithHint(fmt.Sprintf("write a number from 1 to %d", fixtures.MaxAutoencoders), "%s autoencoders are not possible", values[0])
	}
	_, err = fixtures.AutoencoderRepository(values[1])
	return err
}

func (w *world) autoencoders(n int, layout string) error {
	repository, err := fixtures.AutoencoderRepository(layout)
	if err != nil {
		return err
	}
	dir := ""
	if w.dir == defaultDir {
		dir = path.Join(modelsDir, repository)
	}
	c, err := w.newCheckpoint(dir)
	if err != nil {
		return err
	}
	return c.AddAutoencoders(layout, n)
}
