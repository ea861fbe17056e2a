package loader

import (
	"cmp"
	"slices"
)

// The codes of findings. A code is part of the contract: scripts match on it.
const (
	CodeConfigUnreadable      = "config-unreadable"        // the file that describes the checkpoint cannot be read
	CodeConfigBOM             = "config-byte-order-mark"   // UTF-8 with a byte order mark
	CodeConfigNonFinite       = "config-non-finite"        // NaN or Infinity in a JSON file
	CodeConfigDuplicateKey    = "config-duplicate-key"     // a key twice in one object
	CodeConfigArchitectures   = "config-architectures"     // architectures is no list of names
	CodeConfigModelType       = "config-model-type"        // model_type is no string
	CodeArchitectureMismatch  = "architecture-mismatch"    // class and model type belong to different families
	CodeArchitectureUnknown   = "architecture-unknown"     // no loader is known for it
	CodeArchitectureSpelling  = "architecture-spelling"    // known under another spelling
	CodeCustomCode            = "custom-code"              // loading it runs code of its own
	CodeCustomCodeMissing     = "custom-code-missing"      // auto_map names a file that is not there
	CodeCustomCodeElsewhere   = "custom-code-elsewhere"    // auto_map names another repository
	CodeSAEConfigMalformed    = "sae-config-malformed"     // a config.json of an SAE was passed over
	CodeSAEBareDirectories    = "sae-bare-directories"     // only directory names say that it is an SAE
	CodeSAEBaseModelAmbiguous = "sae-base-model-ambiguous" // configs name several base models
	CodeSAEBaseModelUnknown   = "sae-base-model-unknown"   // no file names the base model
	CodeAdapterBaseMissing    = "adapter-base-unknown"     // an adapter that does not name its base model
	CodeTokenizerUnreadable   = "tokenizer-unreadable"     // a tokenizer file cannot be read
	CodeTokenizerMissing      = "tokenizer-missing"        // a text model without a tokenizer
	CodePadTokenFromEOS       = "pad-token-from-eos"       // the end-of-text token stands in for a pad token
	CodeFileUnreadable        = "file-unreadable"          // a file or link below the checkpoint cannot be read
	CodeTooManyFiles          = "too-many-files"           // not all files were looked at
	CodePadTokenMissing       = "pad-token-missing"        // no file gives a pad token
	CodeWeightsMissing        = "weights-missing"          // no weight files
	CodeShardMissing          = "shard-missing"            // the index names a file that is not there
	CodeLayoutAmbiguous       = "layout-ambiguous"         // several things at once, with the candidates
	CodeNothingRecognized     = "nothing-recognized"       // no rule spoke
)

var severityRank = map[Severity]int{SeverityError: 0, SeverityWarning: 1, SeverityNote: 2}

// sortFindings puts findings into their fixed order: severity, code, file,
// message.
func sortFindings(findings []Finding) {
	slices.SortStableFunc(findings, func(a, b Finding) int {
		return cmp.Or(
			cmp.Compare(severityRank[a.Severity], severityRank[b.Severity]),
			cmp.Compare(a.Code, b.Code),
			cmp.Compare(a.File, b.File),
			cmp.Compare(a.Message, b.Message),
		)
	})
}
