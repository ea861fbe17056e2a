package answer

import (
	"omniloader/loader/fault"
)

// Detection says what kind of model a checkpoint is. DecidedBy names the file and key,
// or the rule, that decided it.
type Detection struct {
	Category  Category `json:"category"`
	Task      Task     `json:"task"`
	Layout    string   `json:"layout"`
	DecidedBy string   `json:"decided_by"`
}

// Support says whether a loader is known for a checkpoint.
type Support struct {
	IsSupported bool    `json:"is_supported"`
	Error       *string `json:"error"`       // the reason where it is not, else null
	RemoteCode  bool    `json:"remote_code"` // loading runs Python code of the checkpoint
	LoadsAs     string  `json:"loads_as"`    // the class that loads it, "unknown" where none is known
	Nearest     *string `json:"nearest"`     // for an unknown class, the known one with the longest common prefix
}

// OrUnknown gives s, or UnknownName where s is empty.
func OrUnknown(s string) string {
	if s == "" {
		return UnknownName
	}
	return s
}

// NotAnSAE is the kind of the error that Loader.SAEBaseModel returns for a checkpoint
// that is no sparse autoencoder.
const NotAnSAE fault.Kind = "not an SAE"

// BaseModel is the model whose activations a sparse autoencoder reads.
type BaseModel struct {
	Name       *string   `json:"base_model"`            // null where no file names one, or files name more than one
	Source     *string   `json:"base_model_source"`     // the file that names it
	Candidates []string  `json:"base_model_candidates"` // the models, where files name more than one
	Layers     []int     `json:"layers"`                // numbers of its layers that are read, ascending
	Findings   []Finding `json:"findings"`
}
