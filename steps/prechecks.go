package steps

import (
	"fmt"
	"strings"

	"omniloader/fixtures"
)

// precheck checks the values in the text of a Given step before the run.
type precheck func(checkpoints Checkpoints, source Source, values []string) error

// isSize checks that the value at an index is a size.
func isSize(index int) precheck {
	return func(_ Checkpoints, _ Source, values []string) error {
		if _, err := fixtures.ParseSize(values[index]); err != nil {
			return errorWithHint(`write "100 bytes", "4.9 GB" or "16 KiB"`, "%q is not a size", values[index])
		}
		return nil
	}
}

// isJSONValue checks that the value at an index is JSON.
func isJSONValue(index int) precheck {
	return func(_ Checkpoints, _ Source, values []string) error { return fixtures.CheckJSONValue(values[index]) }
}

// areSizes checks a list of sizes.
func areSizes(_ Checkpoints, _ Source, values []string) error {
	_, err := parseSizes(values[0])
	return err
}

// recordingParses checks that the file of a recorded checkpoint is one, if it is there.
func recordingParses(_ Checkpoints, source Source, values []string) error {
	if source.ReadFixture == nil {
		return nil
	}
	text, err := source.ReadFixture(values[0])
	if err != nil {
		return nil // argumentCheck.file tells it
	}
	_, err = fixtures.ParseRecording(text)
	return err
}

// directoryExists checks that a real checkpoint is there and may be used.
func directoryExists(c Checkpoints, source Source, values []string) error {
	_, err := source.locate(values[0], c.AllowOutside)
	return err
}

// readRecording reads the file of a recorded checkpoint.
func readRecording(source Source, name string) ([]byte, error) {
	text, err := source.ReadFixture(name)
	if err != nil {
		return nil, errorWithHint(`"omniloader record" writes it, in the folder of the feature file`, "the fixture %q beside the feature file: %w", name, err)
	}
	return text, nil
}

// parseSizes reads a list such as "1 MB, 10 MB and 50 MB".
func parseSizes(list string) ([]int64, error) {
	var sizes []int64
	for text := range strings.SplitSeq(strings.ReplaceAll(list, " and ", ", "), ", ") {
		size, err := fixtures.ParseSize(text)
		if err != nil {
			return nil, err
		}
		if size > fixtures.MaxConfigOfSize {
			return nil, fmt.Errorf("a config of %s: at most %d bytes are possible", text, fixtures.MaxConfigOfSize)
		}
		sizes = append(sizes, size)
	}
	return sizes, nil
}
