package check

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/tidwall/gjson"

	"omniloader/loader/answer"
	"omniloader/loader/finding"
	"omniloader/loader/internal/config"
	"omniloader/loader/internal/tokens"
)

// Check says how the tokenizer fits the model's config, which is nothing where there
// is none. Where no vocabulary was read, there is nothing to compare.
func Check(info *tokens.Description, modelConfig config.Members) []answer.Finding {
	check := tokenizerCheck{info: info, tokens: info.Tokens, file: info.Vocabulary, findings: []answer.Finding{}}
	if info.Tokens == nil {
		return check.findings
	}
	check.named()
	check.against(modelConfig)
	check.pad()
	return check.findings
}

type tokenizerCheck struct {
	info     *tokens.Description
	tokens   tokens.TokenLookup
	file     string // of the vocabulary
	findings []answer.Finding
}

func (c *tokenizerCheck) add(code, file, message string) {
	c.findings = append(c.findings, finding.New(code, file, message, ""))
}

// named reports named tokens that are in no vocabulary and on no list.
func (c *tokenizerCheck) named() {
	for _, a := range c.info.Unlisted {
		c.add(finding.TokenNotInVocabulary, c.file,
			fmt.Sprintf("%q is named as a special token, and no file gives it an id: it gets %d", a.Content, a.ID))
	}
	if pad := c.info.PadToken; pad != nil && c.info.PadTokenID == nil {
		c.add(finding.TokenNotInVocabulary, c.file,
			fmt.Sprintf("the pad token %q, from %s, is not in the vocabulary", *pad, *c.info.PadTokenSource))
	}
}

// pad reports a pad token that is the end of a text too. Where nothing gives one and
// the end of text stands in, Inspect says so.
func (c *tokenizerCheck) pad() {
	pad := c.info.PadToken
	if pad == nil || *c.info.PadTokenSource == tokens.SourceEOS || *pad != c.info.SpecialTokens["eos_token"] {
		return
	}
	file := *c.info.PadTokenSource
	if strings.Contains(file, " ") { // the class gave it, and no file
		file = ""
	}
	c.add(finding.PadTokenIsEOS, file, fmt.Sprintf("%q is both the pad token and the end of a text", *pad))
}

// against compares the tokenizer with the model's config.
func (c *tokenizerCheck) against(modelConfig config.Members) {
	if v := modelConfig.Get("text_config"); v.IsObject() && !modelConfig.Get("vocab_size").Exists() {
		text := config.NewMembers(v)
		for _, role := range tokens.SpecialRoles {
			if key := role + "_id"; modelConfig.Get(key).Exists() {
				c.role(modelConfig, role)
			} else {
				c.role(text, role)
			}
		}
		c.rows(text)
		return
	}
	for _, role := range tokens.SpecialRoles {
		c.role(modelConfig, role)
	}
	c.rows(modelConfig)
}

// role compares the id that the config gives a special token with the tokenizer's.
// The config may list several ends of a text.
func (c *tokenizerCheck) role(modelConfig config.Members, role string) {
	value := modelConfig.Get(role + "_id")
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
		if role == "pad_token" {
			c.add(finding.PadIDNegative, config.FileConfig, "pad_token_id is "+strconv.FormatInt(ids[0], 10)+", which no token has")
		}
		return
	}
	token, ok := c.info.SpecialTokens[role]
	if role == "pad_token" && (!ok || *c.info.PadTokenSource == tokens.SourceEOS) {
		name, known := "", false
		if ids[0] < tokens.MaxTokenID {
			name, known = c.tokens.Token(uint32(ids[0]))
		}
		if known && (!ok || name != token) {
			c.add(finding.PadTokenConfigOnly, config.FileConfig,
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
	c.add(finding.SpecialTokenMismatch, config.FileConfig,
		fmt.Sprintf("%s_id is %s, and the tokenizer's %s %q has the id %d", role, value.Raw, role, token, id))
}

// rows compares the pad token's id with the rows of the embedding.
func (c *tokenizerCheck) rows(modelConfig config.Members) {
	rows := modelConfig.Get("vocab_size")
	id := c.info.PadTokenID
	if rows.Type == gjson.Number && id != nil && *id >= rows.Int() && rows.Int() > 0 {
		c.add(finding.PadIDBeyondEmbeddings, c.file,
			fmt.Sprintf("the pad token %q has the id %d, and vocab_size gives %d rows of embeddings", *c.info.PadToken, *id, rows.Int()))
	}
}
