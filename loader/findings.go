package loader

import (
	"cmp"
	_ "embed"
	"errors"
	"slices"
	"strings"
	"sync"

	"omniloader/loader/fault"
)

// The codes of findings. A code is part of the contract: scripts match on it.
// What each means, how much it matters by default and the way out stand in
// findings.tsv.
const (
	CodeAdapterBasePath          = "adapter-base-path"
	CodeAdapterBaseMissing       = "adapter-base-unknown"
	CodeAdapterNeedsBase         = "adapter-needs-base"
	CodeArchitectureBaseClass    = "architecture-base-class"
	CodeArchitectureMismatch     = "architecture-mismatch"
	CodeArchitectureNewer        = "architecture-newer"
	CodeArchitectureSpelling     = "architecture-spelling"
	CodeArchitectureUnknown      = "architecture-unknown"
	CodeCacheRefDangling         = "cache-ref-dangling"
	CodeCardUnreadable           = "card-unreadable"
	CodeChatTemplateUnreadable   = "chat-template-unreadable"
	CodeComponentClass           = "component-class"
	CodeComponentIncomplete      = "component-incomplete"
	CodeComponentMissing         = "component-missing"
	CodeConfigArchitectures      = "config-architectures"
	CodeConfigBOM                = "config-byte-order-mark"
	CodeConfigDuplicateKey       = "config-duplicate-key"
	CodeConfigMissing            = "config-missing"
	CodeConfigModelType          = "config-model-type"
	CodeConfigNonFinite          = "config-non-finite"
	CodeConfigUnreadable         = "config-unreadable"
	CodeCustomCode               = "custom-code"
	CodeCustomCodeElsewhere      = "custom-code-elsewhere"
	CodeCustomCodeMissing        = "custom-code-missing"
	CodeFileEmpty                = "file-empty"
	CodeFileMissing              = "file-missing"
	CodeFileSize                 = "file-size"
	CodeFileUnreadable           = "file-unreadable"
	CodeHashMismatch             = "hash-mismatch"
	CodeHashUnrecorded           = "hash-unrecorded"
	CodeHTMLPage                 = "html-page"
	CodeIncompleteDownload       = "incomplete-download"
	CodeIndexMissing             = "index-missing"
	CodeIndexOtherFormat         = "index-other-format"
	CodeIndexStale               = "index-stale"
	CodeIndexTotalSize           = "index-total-size"
	CodeIndexUnreadable          = "index-unreadable"
	CodeIndexUnsafe              = "index-unsafe"
	CodeLayoutAmbiguous          = "layout-ambiguous"
	CodeLayersMissing            = "layers-missing"
	CodeLFSPointer               = "lfs-pointer"
	CodeLinkBroken               = "link-broken"
	CodeLinkNotFollowed          = "link-not-followed"
	CodeModelTypeMissing         = "model-type-missing"
	CodeNothingRecognized        = "nothing-recognized"
	CodePadIDBeyondEmbeddings    = "pad-id-beyond-embeddings"
	CodePadIDNegative            = "pad-id-negative"
	CodePadTokenFromEOS          = "pad-token-from-eos"
	CodePadTokenIsEOS            = "pad-token-is-eos"
	CodePadTokenMissing          = "pad-token-missing"
	CodePadTokenConfigOnly       = "pad-token-only-in-config"
	CodeParametersUnknown        = "parameters-unknown"
	CodePickleDangerous          = "pickle-dangerous-import"
	CodePickleUnknown            = "pickle-unknown-import"
	CodePipelineEmpty            = "pipeline-empty"
	CodeQuantizationConflict     = "quantization-conflict"
	CodeQuantizationUnknown      = "quantization-unknown"
	CodeQuantizationUnstated     = "quantization-unstated"
	CodeSAEBareDirectories       = "sae-bare-directories"
	CodeSAEBaseModelAmbiguous    = "sae-base-model-ambiguous"
	CodeSAEBaseModelUnknown      = "sae-base-model-unknown"
	CodeSAEConfigMalformed       = "sae-config-malformed"
	CodeSAEFileMisspelled        = "sae-file-misspelled"
	CodeSAEOtherFamily           = "sae-other-family"
	CodeServerReply              = "server-reply"
	CodeShapeMismatch            = "shape-mismatch"
	CodeShardMissing             = "shard-missing"
	CodeShardNamePadding         = "shard-name-padding"
	CodeShardNotInIndex          = "shard-not-in-index"
	CodeShardNumberGap           = "shard-number-gap"
	CodeShardsDisagree           = "shards-disagree"
	CodeSingleFileCheckpoint     = "single-file-checkpoint"
	CodeSpecialTokenMismatch     = "special-token-id-mismatch"
	CodeTensorInTwoShards        = "tensor-in-two-shards"
	CodeTensorMissing            = "tensor-missing"
	CodeTensorNotInIndex         = "tensor-not-in-index"
	CodeTokenNotInVocabulary     = "token-not-in-vocabulary"
	CodeTokenizerComponent       = "tokenizer-component-unknown"
	CodeTokenizerGuessed         = "tokenizer-guessed"
	CodeTokenizerMergePairs      = "tokenizer-merges-as-pairs"
	CodeTokenizerMissing         = "tokenizer-missing"
	CodeTokenizerTiktoken        = "tokenizer-model-is-tiktoken"
	CodeTokenizerUnreadable      = "tokenizer-unreadable"
	CodeTokenizerVocabulary      = "tokenizer-without-vocabulary"
	CodeTooManyFiles             = "too-many-files"
	CodeVocabExceedsEmbeddings   = "vocab-exceeds-embeddings"
	CodeWeightPrefix             = "weight-prefix-mismatch"
	CodeWeightWithoutCounterpart = "weight-without-counterpart"
	CodeWeightsAlternatives      = "weights-alternatives"
	CodeWeightsDuplicate         = "weights-duplicate"
	CodeWeightsHeaderTooLarge    = "weights-header-too-large"
	CodeWeightsMissing           = "weights-missing"
	CodeWeightsSingleAndIndex    = "weights-single-and-index"
	CodeWeightsTruncated         = "weights-truncated"
	CodeWeightsUnreadable        = "weights-unreadable"
	CodeWeightsVariantOnly       = "weights-variant-only"
	CodeZeroFilled               = "zero-filled"
)

//go:embed findings.tsv
var findingsTSV string

// Explanation says what a code of findings means.
type Explanation struct {
	Code     string   `json:"code"`
	Severity Severity `json:"severity"` // the usual one; a finding's own may differ
	Title    string   `json:"title"`    // a few words
	Means    string   `json:"means"`    // what was seen, and what it leads to
	WayOut   string   `json:"way_out"`  // what to do; a finding's own hint may be more exact
}

type findingsTable struct {
	list   []Explanation // by code
	byKind map[fault.Kind]string
}

var findingsKnown = sync.OnceValue(func() findingsTable {
	t := findingsTable{byKind: map[fault.Kind]string{}}
	for line := range strings.Lines(findingsTSV) {
		if line[0] == '#' {
			continue
		}
		f := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		t.list = append(t.list, Explanation{Code: f[0], Severity: Severity(f[1]), Title: f[3], Means: f[4], WayOut: f[5]})
		if f[2] != "-" {
			for kind := range strings.SplitSeq(f[2], ",") {
				t.byKind[fault.Kind(kind)] = f[0]
			}
		}
	}
	return t
})

// Explanations lists all codes of findings, sorted.
func Explanations() []Explanation { return slices.Clone(findingsKnown().list) }

// Explain says what a code means.
func Explain(code string) (Explanation, bool) {
	list := findingsKnown().list
	i, ok := slices.BinarySearchFunc(list, code, func(e Explanation, code string) int { return strings.Compare(e.Code, code) })
	if !ok {
		return Explanation{}, false
	}
	return list[i], true
}

// finding makes a finding with the code's usual severity; without a hint, it has
// the code's way out.
func finding(code, file, message, hint string) Finding {
	e, _ := Explain(code)
	if hint == "" {
		hint = e.WayOut
	}
	return Finding{Severity: e.Severity, Code: code, File: file, Message: message, Hint: hint}
}

// codeOfKind gives the code for a kind of error, "" where the table has none.
func codeOfKind(kind fault.Kind) string { return findingsKnown().byKind[kind] }

// codeOfError gives the code for the first kind in err's chain that the table
// has, else the fallback. What stands in a file's place is more telling than what
// a reader makes of it, and the chain has it behind.
func codeOfError(err error, fallback string) string {
	code := ""
	for _, kind := range kindsOf(err) {
		if c := codeOfKind(kind); c != "" {
			code = c
		}
	}
	return cmp.Or(code, fallback)
}

// kindsOf lists the kinds of an error and of its causes, the outermost first.
func kindsOf(err error) (kinds []fault.Kind) {
	for err != nil {
		var e *fault.Error
		if !errors.As(err, &e) {
			return kinds
		}
		kinds = append(kinds, e.Kind)
		var kind fault.Kind
		if errors.As(e.Cause, &kind) && !slices.Contains(kinds, kind) {
			kinds = append(kinds, kind)
		}
		err = e.Cause
	}
	return kinds
}

// MergeFindings adds the findings of a second look at a directory to those of the first,
// in their fixed order. A file that could not be read either time is reported once.
func MergeFindings(known, more []Finding) []Finding {
	for _, f := range more {
		if f.Code == CodeFileUnreadable && slices.ContainsFunc(known, func(k Finding) bool { return k.Code == f.Code && k.File == f.File }) {
			continue
		}
		known = append(known, f)
	}
	sortFindings(known)
	return known
}

var severityRank = map[Severity]int{SeverityError: 0, SeverityWarning: 1, SeverityNote: 2}

// sortFindings puts findings into their fixed order: severity, code, file,
// message.
func sortFindings(findings []Finding) {
	if len(findings) < 2 {
		return
	}
	slices.SortStableFunc(findings, func(a, b Finding) int {
		return cmp.Or(
			cmp.Compare(severityRank[a.Severity], severityRank[b.Severity]),
			cmp.Compare(a.Code, b.Code),
			cmp.Compare(a.File, b.File),
			cmp.Compare(a.Message, b.Message),
		)
	})
}
