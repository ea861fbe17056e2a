// Package finding has the codes of findings: what each means, how much it matters,
// and the way out, in one table, findings.tsv. It makes findings and puts them in
// order; it does not look for them.
package finding

import (
	"cmp"
	_ "embed"
	"errors"
	"slices"
	"strings"
	"sync"

	"omniloader/loader/answer"
	"omniloader/loader/fault"
)

// The codes of findings. A code is part of the contract: scripts match on it.
// What each means, how much it matters by default and the way out stand in
// findings.tsv.
const (
	AdapterBasePath          = "adapter-base-path"
	AdapterBaseMissing       = "adapter-base-unknown"
	AdapterNeedsBase         = "adapter-needs-base"
	ArchitectureBaseClass    = "architecture-base-class"
	ArchitectureMismatch     = "architecture-mismatch"
	ArchitectureNewer        = "architecture-newer"
	ArchitectureSpelling     = "architecture-spelling"
	ArchitectureUnknown      = "architecture-unknown"
	CacheRefDangling         = "cache-ref-dangling"
	CardUnreadable           = "card-unreadable"
	ChatTemplateUnreadable   = "chat-template-unreadable"
	ComponentClass           = "component-class"
	ComponentIncomplete      = "component-incomplete"
	ComponentMissing         = "component-missing"
	ConfigArchitectures      = "config-architectures"
	ConfigBOM                = "config-byte-order-mark"
	ConfigDuplicateKey       = "config-duplicate-key"
	ConfigMissing            = "config-missing"
	ConfigModelType          = "config-model-type"
	ConfigNonFinite          = "config-non-finite"
	ConfigUnreadable         = "config-unreadable"
	CustomCode               = "custom-code"
	CustomCodeElsewhere      = "custom-code-elsewhere"
	CustomCodeMissing        = "custom-code-missing"
	FileEmpty                = "file-empty"
	FileMissing              = "file-missing"
	FileSize                 = "file-size"
	FileUnreadable           = "file-unreadable"
	HashMismatch             = "hash-mismatch"
	HashUnrecorded           = "hash-unrecorded"
	HTMLPage                 = "html-page"
	IncompleteDownload       = "incomplete-download"
	IndexMissing             = "index-missing"
	IndexOtherFormat         = "index-other-format"
	IndexStale               = "index-stale"
	IndexTotalSize           = "index-total-size"
	IndexUnreadable          = "index-unreadable"
	IndexUnsafe              = "index-unsafe"
	LayoutAmbiguous          = "layout-ambiguous"
	LayersMissing            = "layers-missing"
	LFSPointer               = "lfs-pointer"
	LinkBroken               = "link-broken"
	LinkNotFollowed          = "link-not-followed"
	ModelTypeMissing         = "model-type-missing"
	NothingRecognized        = "nothing-recognized"
	PadIDBeyondEmbeddings    = "pad-id-beyond-embeddings"
	PadIDNegative            = "pad-id-negative"
	PadTokenFromEOS          = "pad-token-from-eos"
	PadTokenIsEOS            = "pad-token-is-eos"
	PadTokenMissing          = "pad-token-missing"
	PadTokenConfigOnly       = "pad-token-only-in-config"
	ParametersUnknown        = "parameters-unknown"
	PickleDangerous          = "pickle-dangerous-import"
	PickleUnknown            = "pickle-unknown-import"
	PipelineEmpty            = "pipeline-empty"
	QuantizationConflict     = "quantization-conflict"
	QuantizationUnknown      = "quantization-unknown"
	QuantizationUnstated     = "quantization-unstated"
	SAEBareDirectories       = "sae-bare-directories"
	SAEBaseModelAmbiguous    = "sae-base-model-ambiguous"
	SAEBaseModelUnknown      = "sae-base-model-unknown"
	SAEConfigMalformed       = "sae-config-malformed"
	SAEFileMisspelled        = "sae-file-misspelled"
	SAEOtherFamily           = "sae-other-family"
	ServerReply              = "server-reply"
	ShapeMismatch            = "shape-mismatch"
	ShardMissing             = "shard-missing"
	ShardNamePadding         = "shard-name-padding"
	ShardNotInIndex          = "shard-not-in-index"
	ShardNumberGap           = "shard-number-gap"
	ShardsDisagree           = "shards-disagree"
	SingleFileCheckpoint     = "single-file-checkpoint"
	SpecialTokenMismatch     = "special-token-id-mismatch"
	TensorInTwoShards        = "tensor-in-two-shards"
	TensorMissing            = "tensor-missing"
	TensorNotInIndex         = "tensor-not-in-index"
	TokenNotInVocabulary     = "token-not-in-vocabulary"
	TokenizerComponent       = "tokenizer-component-unknown"
	TokenizerGuessed         = "tokenizer-guessed"
	TokenizerMergePairs      = "tokenizer-merges-as-pairs"
	TokenizerMissing         = "tokenizer-missing"
	TokenizerTiktoken        = "tokenizer-model-is-tiktoken"
	TokenizerUnreadable      = "tokenizer-unreadable"
	TokenizerVocabulary      = "tokenizer-without-vocabulary"
	TooManyFiles             = "too-many-files"
	VocabExceedsEmbeddings   = "vocab-exceeds-embeddings"
	WeightPrefix             = "weight-prefix-mismatch"
	WeightWithoutCounterpart = "weight-without-counterpart"
	WeightsAlternatives      = "weights-alternatives"
	WeightsDuplicate         = "weights-duplicate"
	WeightsHeaderTooLarge    = "weights-header-too-large"
	WeightsMissing           = "weights-missing"
	WeightsSingleAndIndex    = "weights-single-and-index"
	WeightsTruncated         = "weights-truncated"
	WeightsUnreadable        = "weights-unreadable"
	WeightsVariantOnly       = "weights-variant-only"
	ZeroFilled               = "zero-filled"
)

//go:embed findings.tsv
var findingsTSV string

// Explanation says what a code of findings means.
type Explanation struct {
	Code     string          `json:"code"`
	Severity answer.Severity `json:"severity"` // the usual one; a finding's own may be milder
	Title    string          `json:"title"`    // a few words
	Means    string          `json:"means"`    // what was seen, and what it leads to
	WayOut   string          `json:"way_out"`  // what to do; a finding's own hint may be more exact
}

type table struct {
	list       []Explanation       // by code
	severities [][]answer.Severity // of each, from the usual to the mildest
	byKind     map[fault.Kind]string
}

var codeTable = sync.OnceValue(func() table {
	t := table{byKind: map[fault.Kind]string{}}
	for line := range strings.Lines(findingsTSV) {
		if line[0] == '#' {
			continue
		}
		f := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		var severities []answer.Severity
		for severity := range strings.SplitSeq(f[1], ",") {
			severities = append(severities, answer.Severity(severity))
		}
		t.severities = append(t.severities, severities)
		t.list = append(t.list, Explanation{Code: f[0], Severity: severities[0], Title: f[3], Means: f[4], WayOut: f[5]})
		if f[2] != "-" {
			for kind := range strings.SplitSeq(f[2], ",") {
				t.byKind[fault.Kind(kind)] = f[0]
			}
		}
	}
	return t
})

// Explanations lists all codes of findings, sorted.
func Explanations() []Explanation { return slices.Clone(codeTable().list) }

// Explain says what a code means.
func Explain(code string) (Explanation, bool) {
	list := codeTable().list
	i, ok := indexOfCode(list, code)
	if !ok {
		return Explanation{}, false
	}
	return list[i], true
}

// Grade chooses among the severities that findings.tsv has for a code.
type Grade int

// The grades: the usual severity, and milder ones where what is wrong is not certain, or
// is with something that nothing needs. A code with fewer severities has the last of
// them for the rest.
const (
	Usual Grade = iota
	Milder
	Mildest
)

// New makes a finding with the code's usual severity; without a hint, it has the code's
// way out.
func New(code, file, message, hint string) answer.Finding {
	return NewGraded(Usual, code, file, message, hint)
}

// Graded is New with the severity of a grade.
func NewGraded(grade Grade, code, file, message, hint string) answer.Finding {
	list := codeTable().list
	i, ok := indexOfCode(list, code)
	f := answer.Finding{Code: code, File: file, Message: message, Hint: hint}
	if !ok { // a test looks for each code in the table
		return f
	}
	if hint == "" {
		f.Hint = list[i].WayOut
	}
	severities := codeTable().severities[i]
	f.Severity = severities[min(int(grade), len(severities)-1)]
	return f
}

func indexOfCode(list []Explanation, code string) (int, bool) {
	return slices.BinarySearchFunc(list, code, func(e Explanation, code string) int { return strings.Compare(e.Code, code) })
}

// CodeOfKind gives the code for a kind of error, "" where the table has none.
func CodeForKind(kind fault.Kind) string { return codeTable().byKind[kind] }

// CodeOfError gives the code for the first kind in err's chain that the table
// has, else the fallback. What stands in a file's place is more telling than what
// a reader makes of it, and the chain has it behind.
func CodeForError(err error, fallback string) string {
	code := ""
	for _, kind := range kindsOf(err) {
		if c := CodeForKind(kind); c != "" {
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

// Merge adds the findings of a second look at a directory to those of the first,
// in their fixed order. A file that could not be read either time is reported once.
func Merge(known, more []answer.Finding) []answer.Finding {
	for _, f := range more {
		if f.Code == FileUnreadable && slices.ContainsFunc(known, func(k answer.Finding) bool { return k.Code == f.Code && k.File == f.File }) {
			continue
		}
		known = append(known, f)
	}
	Sort(known)
	return known
}

var severityRank = map[answer.Severity]int{answer.SeverityError: 0, answer.SeverityWarning: 1, answer.SeverityNote: 2}

// Sort puts findings into their fixed order: severity, code, file,
// message.
func Sort(findings []answer.Finding) {
	if len(findings) < 2 {
		return
	}
	slices.SortStableFunc(findings, func(a, b answer.Finding) int {
		return cmp.Or(
			cmp.Compare(severityRank[a.Severity], severityRank[b.Severity]),
			cmp.Compare(a.Code, b.Code),
			cmp.Compare(a.File, b.File),
			cmp.Compare(a.Message, b.Message),
		)
	})
}
