package check

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/tidwall/gjson"

	"omniloader/loader/answer"
	"omniloader/loader/fault"
	"omniloader/loader/finding"
	"omniloader/loader/internal/checkpoint"
	"omniloader/loader/internal/config"
	"omniloader/loader/internal/format"
	"omniloader/loader/internal/tokens"
	"omniloader/loader/internal/tree"
)

// A model for text without a tokenizer, or with one that cannot be read.
var _ = register(Check{
	Name:  "tokenizer-present",
	Codes: []string{finding.TokenizerMissing, finding.TokenizerUnreadable},
	Run: func(f *Facts) []answer.Finding {
		err, info := f.TokenizerErr, f.Info
		switch kind := fault.KindOf(err); {
		case err == nil:
		case kind != fault.NotFound:
			file := fault.PathOf(err)
			var outside *answer.SearchError
			if errors.As(err, &outside) {
				file = tree.RelPath(f.Checkpoint.Dir, file)
			} else if tree.HasProblem(f.Files, file) {
				return nil
			}
			return []answer.Finding{finding.FromError(finding.TokenizerUnreadable, file, err)}
		case info.Category == answer.Transformers || info.Category == answer.ASR || info.Category == answer.SAE:
			if !containsTokenizer(info.Weights) && !slices.Contains(config.KeyList("no_text"), string(info.Task)) && !f.Checkpoint.Has(openVINOTokenizerFile) && !isSpeculator(f) {
				return []answer.Finding{missingTokenizer(info, err)}
			}
		}
		return nil
	},
})

// openVINOTokenizerFile is a tokenizer in a format that is not read.
const openVINOTokenizerFile = "openvino_tokenizer.xml"

// containsTokenizer tells whether the weights are in a format whose files contain the
// tokenizer.
func containsTokenizer(w *answer.WeightsInfo) bool {
	return w != nil && len(w.Files) > 0 && format.ByName(w.Format).Tokenizer == format.TokenizerInside
}

// missingTokenizer reports that no tokenizer was found. The severity is milder for a
// sparse autoencoder, which never has one of its own.
func missingTokenizer(info *answer.Info, err error) answer.Finding {
	message := finding.MessageOf(err)
	var search *answer.SearchError
	if errors.As(err, &search) {
		message = search.Summary()
	}
	grade := finding.Usual
	if info.IsSAE {
		grade = finding.Milder
	}
	return finding.NewGraded(grade, finding.TokenizerMissing, "", message, finding.HintOf(err))
}

// A tokenizer without a pad token, which padding a batch needs.
var _ = register(Check{
	Name:  "pad-token",
	Codes: []string{finding.PadTokenMissing, finding.PadTokenFromEOS},
	Needs: Tokenizer,
	Run: func(f *Facts) []answer.Finding {
		switch t := f.Tokenizer; {
		case t.PadToken == nil:
			return single(finding.PadTokenMissing, "", "no file gives a pad token, and there is no end-of-text token to stand in", "")
		case *t.PadTokenSource == tokens.PadFromEOS:
			return single(finding.PadTokenFromEOS, "", "no file gives a pad token; "+*t.PadToken+", the end-of-text token, stands in", "")
		}
		return nil
	},
})

// The highest id of the tokenizer is compared with the rows of the embedding.
var _ = register(Check{
	Name:  "vocabulary",
	Codes: []string{finding.VocabExceedsEmbeddings},
	Needs: Tokenizer | Config,
	Run: func(f *Facts) []answer.Finding {
		t := f.Tokenizer
		if t.VocabSize == nil || t.Origin != answer.OriginCheckpoint {
			return nil
		}
		rows, source, ok := f.Checkpoint.Quantities().Get("vocab")
		if !ok || int64(*t.VocabSize) <= rows {
			return nil
		}
		return single(finding.VocabExceedsEmbeddings, t.Vocabulary, fmt.Sprintf("its highest id is %d, and %s gives %d rows", *t.VocabSize-1, source, rows), "")
	},
})

// The special tokens are compared with the vocabulary and the model's config.
var _ = register(Check{
	Name: "special-tokens",
	Codes: []string{finding.PadIDBeyondEmbeddings, finding.PadIDNegative, finding.PadTokenConfigOnly, finding.PadTokenIsEOS,
		finding.SpecialTokenMismatch, finding.TokenNotInVocabulary},
	Needs: Tokenizer,
	Run: func(f *Facts) []answer.Finding {
		return SpecialTokens(f.Tokenizer, configOfTokenizer(f.Checkpoint, f.Tokenizer))
	},
})

// configOfTokenizer gives the config of the model that the tokenizer belongs to: for one
// of a base model, the config beside it. It has no members where the config cannot be
// read.
func configOfTokenizer(c *checkpoint.Directory, t *tokens.Description) config.Members {
	if t.Origin == answer.OriginCheckpoint && c.Doc.File == config.ConfigJSON {
		return c.Members()
	}
	dir := c.Dir
	if t.Origin != answer.OriginCheckpoint {
		dir = t.Path
	}
	object, _ := config.ReadJSON(c.FS, dir, config.ConfigJSON)
	return config.NewMembers(object)
}

// SpecialTokens compares a tokenizer with the config of its model. It reports nothing
// where no vocabulary was read.
func SpecialTokens(info *tokens.Description, modelConfig config.Members) []answer.Finding {
	check := tokenizerCheck{info: info, tokens: info.Tokens, file: info.Vocabulary, findings: []answer.Finding{}}
	if info.Tokens == nil {
		return check.findings
	}
	check.checkUnlistedTokens()
	check.compareWithConfig(modelConfig)
	check.checkPadIsEOS()
	return check.findings
}

// tokenizerCheck is the state of SpecialTokens.
type tokenizerCheck struct {
	info     *tokens.Description
	tokens   tokens.Lookup
	file     string // of the vocabulary
	findings []answer.Finding
}

// add adds a finding with its usual severity.
func (c *tokenizerCheck) add(code, file, message string) {
	c.findings = append(c.findings, finding.New(code, file, message, ""))
}

// checkUnlistedTokens reports special tokens that are not in the vocabulary.
func (c *tokenizerCheck) checkUnlistedTokens() {
	for _, a := range c.info.Unlisted {
		c.add(finding.TokenNotInVocabulary, c.file,
			fmt.Sprintf("%q is named as a special token, and no file gives it an id: it gets %d", a.Content, a.ID))
	}
	if pad := c.info.PadToken; pad != nil && c.info.PadTokenID == nil {
		c.add(finding.TokenNotInVocabulary, c.file,
			fmt.Sprintf("the pad token %q, from %s, is not in the vocabulary", *pad, *c.info.PadTokenSource))
	}
}

// checkPadIsEOS reports a pad token that is the end-of-text token as well. Where no file
// gives a pad token, the check "pad-token" reports it.
func (c *tokenizerCheck) checkPadIsEOS() {
	pad := c.info.PadToken
	if pad == nil || *c.info.PadTokenSource == tokens.PadFromEOS || *pad != c.info.SpecialTokens["eos_token"] {
		return
	}
	file := *c.info.PadTokenSource
	if strings.Contains(file, " ") { // the default of a class or a model type
		file = ""
	}
	c.add(finding.PadTokenIsEOS, file, fmt.Sprintf("%q is both the pad token and the end of a text", *pad))
}

// compareWithConfig compares ids of special tokens with the config, or with its
// text_config.
func (c *tokenizerCheck) compareWithConfig(modelConfig config.Members) {
	if v := modelConfig.Get("text_config"); v.IsObject() && !modelConfig.Get("vocab_size").Exists() {
		text := config.NewMembers(v)
		for _, role := range tokens.SpecialRoles {
			if modelConfig.Get(role.IDKey).Exists() {
				c.compareTokenID(modelConfig, role)
			} else {
				c.compareTokenID(text, role)
			}
		}
		c.checkPadIDInRange(text)
		return
	}
	for _, role := range tokens.SpecialRoles {
		c.compareTokenID(modelConfig, role)
	}
	c.checkPadIDInRange(modelConfig)
}

// compareTokenID compares the id of a special token with the one in the config, which
// may be a list for the end of a text.
func (c *tokenizerCheck) compareTokenID(modelConfig config.Members, role tokens.Role) {
	value := modelConfig.Get(role.IDKey)
	var ids []int64
	for _, v := range value.Array() {
		if v.Type == gjson.Number {
			ids = append(ids, v.Int())
		}
	}
	if len(ids) == 0 {
		return
	}
	if ids[0] < 0 {
		if role.Name == "pad_token" {
			c.add(finding.PadIDNegative, config.ConfigJSON, "pad_token_id is "+strconv.FormatInt(ids[0], 10)+", which no token has")
		}
		return
	}
	token, ok := c.info.SpecialTokens[role.Name]
	if role.Name == "pad_token" && (!ok || *c.info.PadTokenSource == tokens.PadFromEOS) {
		name, known := "", false
		if ids[0] < tokens.MaxTokenID {
			name, known = c.tokens.Token(uint32(ids[0]))
		}
		if known && (!ok || name != token) {
			c.add(finding.PadTokenConfigOnly, config.ConfigJSON,
				fmt.Sprintf("pad_token_id is %d, which is %q, and the tokenizer has no pad token", ids[0], name))
		}
		return
	}
	if !ok {
		return
	}
	id, ok := c.tokens.TokenID(token)
	if !ok || slices.Contains(ids, int64(id)) {
		return
	}
	c.add(finding.SpecialTokenMismatch, config.ConfigJSON,
		fmt.Sprintf("%s is %s, and the tokenizer's %s %q has the id %d", role.IDKey, value.Raw, role.Name, token, id))
}

// checkPadIDInRange reports a pad token whose id is beyond vocab_size.
func (c *tokenizerCheck) checkPadIDInRange(modelConfig config.Members) {
	rows := modelConfig.Get("vocab_size")
	id := c.info.PadTokenID
	if rows.Type == gjson.Number && id != nil && *id >= rows.Int() && rows.Int() > 0 {
		c.add(finding.PadIDBeyondEmbeddings, c.file,
			fmt.Sprintf("the pad token %q has the id %d, and vocab_size gives %d rows of embeddings", *c.info.PadToken, *id, rows.Int()))
	}
}
