package undertest_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"path"
	"testing/fstest"

	"omniloader/loader/fault"
	"omniloader/loader/undertest"
)

// typeReader is a loader that reads one key of config.json.
type typeReader struct{}

func (typeReader) Name() string         { return "type-reader" }
func (typeReader) Version() string      { return "0.1" }
func (typeReader) Operations() []string { return []string{undertest.ModelInfo} }
func (typeReader) Close() error         { return nil }

func (typeReader) Prepare(operation string, in undertest.Input) (undertest.Call, error) {
	if operation != undertest.ModelInfo {
		return nil, undertest.ErrNoOperation
	}
	return func(context.Context) (any, error) {
		file := path.Join(in.Dir, "config.json")
		text, err := fs.ReadFile(in.FS, file)
		if err != nil {
			return nil, &undertest.Error{Kind: fault.NotFound, File: file, Hint: "download the checkpoint"}
		}
		var info struct {
			ModelType string `json:"model_type"`
		}
		if err := json.Unmarshal(text, &info); err != nil {
			return nil, &undertest.Error{Kind: fault.NotJSON, File: file, Message: err.Error()}
		}
		return info, nil
	}, nil
}

// A loader with one operation, and how a run uses it.
func Example() {
	var l undertest.Loader = typeReader{}
	defer l.Close()
	models := fstest.MapFS{"gpt2/config.json": {Data: []byte(`{"model_type": "gpt2"}`)}}
	for _, dir := range []string{"gpt2", "bert"} {
		call, err := l.Prepare(undertest.ModelInfo, undertest.Input{FS: models, Dir: dir})
		if err != nil {
			fmt.Println(err)
			return
		}
		answer, err := call(context.Background())
		if err != nil {
			fmt.Println(err, "–", fault.HintOf(err))
			continue
		}
		text, err := json.Marshal(answer)
		fmt.Println(string(text), err)
	}
	// Output:
	// {"model_type":"gpt2"} <nil>
	// bert/config.json: not found – download the checkpoint
}

// What a program in another language writes is read as an error of the same kind.
func ExampleError() {
	var e undertest.Error
	if err := json.Unmarshal([]byte(`{"kind": "truncated", "file": "model.safetensors", "hint": "download it again", "message": "header cut off"}`), &e); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(&e)
	fmt.Println(fault.KindOf(&e), fault.PathOf(&e), fault.HintOf(&e))
	// Output:
	// header cut off
	// truncated model.safetensors download it again
}
