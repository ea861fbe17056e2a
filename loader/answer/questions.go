package answer

import (
	"omniloader/loader/fault"
)

// Detection is the answer to what kind of loader a checkpoint needs.
type Detection struct {
	Category  Category `json:"category"`
	Task      Task     `json:"task"`
	Layout    string   `json:"layout"`
	DecidedBy string   `json:"decided_by"`
}

// Support says whether a loader is known for a checkpoint.
type Support struct {
	IsSupported bool    `json:"is_supported"`
	Error       *string `json:"error"`       // why not; null where it is
	RemoteCode  bool    `json:"remote_code"` // only by running the code that it brings
	LoadsAs     string  `json:"loads_as"`    // the class that loads it, "unknown" where none is named
	Nearest     *string `json:"nearest"`     // the known class most like an unknown one
}

func OrUnknown(s string) string {
	if s == "" {
		return UnknownName
	}
	return s
}

// NotAnSAE is the kind of error for a question that only a sparse autoencoder
// can answer.
const NotAnSAE fault.Kind = "not an SAE"

// BaseModel is the model that a sparse autoencoder reads.
type BaseModel struct {
	Name       *string   `json:"base_model"`            // null where no file names it, or files name several
	Source     *string   `json:"base_model_source"`     // the file that named it
	Candidates []string  `json:"base_model_candidates"` // where several are named
	Layers     []int     `json:"layers"`                // layers seen, ascending
	Findings   []Finding `json:"findings"`
}
