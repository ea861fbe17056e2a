package loader

import (
	"fmt"
	"io/fs"
	"slices"
	"strconv"
	"strings"

	"github.com/tidwall/gjson"

	"omniloader/loader/tokenizer"
)

// TokenizerFindings says how a tokenizer, as LoadTokenizer gave it, fits the model
// at dir: whether its pad token can be padded with, whether its named tokens exist,
// whether config.json means the same tokens, and what is odd about the files. Files that cannot be read are left
// to Inspect. The order of the findings is fixed.
func (l *Loader) TokenizerFindings(fsys fs.FS, dir string, t *tokenizer.Tokenizer, info *TokenizerInfo) []Finding {
	known := tokenizerDescription{TokenizerInfo: info, tokens: t, unlisted: t.Config().Unlisted}
	if len(info.Files) > 0 {
		known.vocabulary = info.Files[0] // the first that was read
	}
	// A base model's tokenizer is compared with the base model's config: an adapter
	// or an autoencoder has none of its own that speaks of tokens.
	if info.Origin != OriginCheckpoint {
		dir = info.Path
	}
	modelConfig, _ := readObject(fsys, dir, fileConfig)
	findings := append(known.check(newMembers(modelConfig)), info.Findings...)
	sortFindings(findings)
	return findings
}

// check says how the tokenizer fits the model's config, which is nothing where there
// is none. Where no vocabulary was read, there is nothing to compare.
func (info *tokenizerDescription) check(modelConfig members) []Finding {
	check := tokenizerCheck{info: info, tokens: info.tokens, file: info.vocabulary, findings: []Finding{}}
	if info.tokens == nil {
		return check.findings
	}
	check.named()
	check.against(modelConfig)
	check.pad()
	return check.findings
}

type tokenizerCheck struct {
	info     *tokenizerDescription
	tokens   tokenLookup
	file     string // of the vocabulary
	findings []Finding
}

func (c *tokenizerCheck) add(code, file, message string) {
	c.findings = append(c.findings, finding(code, file, message, ""))
}

// named reports named tokens that are in no vocabulary and on no list.
func (c *tokenizerCheck) named() {
	for _, a := range c.info.unlisted {
		c.add(CodeTokenNotInVocabulary, c.file,
			fmt.Sprintf("%q is named as a special token, and no file gives it an id: it gets %d", a.Content, a.ID))
	}
	if pad := c.info.PadToken; pad != nil && c.info.PadTokenID == nil {
		c.add(CodeTokenNotInVocabulary, c.file,
			fmt.Sprintf("the pad token %q, from %s, is not in the vocabulary", *pad, *c.info.PadTokenSource))
	}
}

// pad reports a pad token that is the end of a text too. Where nothing gives one and
// the end of text stands in, Inspect says so.
func (c *tokenizerCheck) pad() {
	pad := c.info.PadToken
	if pad == nil || *c.info.PadTokenSource == sourceEOS || *pad != c.info.SpecialTokens["eos_token"] {
		return
	}
	file := *c.info.PadTokenSource
	if strings.Contains(file, " ") { // the class gave it, and no file
		file = ""
	}
	c.add(CodePadTokenIsEOS, file, fmt.Sprintf("%q is both the pad token and the end of a text", *pad))
}

// against compares the tokenizer with the model's config.
func (c *tokenizerCheck) against(modelConfig members) {
	if v := modelConfig.Get("text_config"); v.IsObject() && !modelConfig.Get("vocab_size").Exists() {
		text := newMembers(v)
		for _, role := range specialRoles {
			if key := role + "_id"; modelConfig.Get(key).Exists() {
				c.role(modelConfig, role)
			} else {
				c.role(text, role)
			}
		}
		c.rows(text)
		return
	}
	for _, role := range specialRoles {
		c.role(modelConfig, role)
	}
	c.rows(modelConfig)
}

// role compares the id that the config gives a special token with the tokenizer's.
// The config may list several ends of a text.
func (c *tokenizerCheck) role(modelConfig members, role string) {
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
			c.add(CodePadIDNegative, fileConfig, "pad_token_id is "+strconv.FormatInt(ids[0], 10)+", which no token has")
		}
		return
	}
	token, ok := c.info.SpecialTokens[role]
	if role == "pad_token" && (!ok || *c.info.PadTokenSource == sourceEOS) {
		name, known := "", false
		if ids[0] < maxTokenID {
			name, known = c.tokens.Token(uint32(ids[0]))
		}
		if known && (!ok || name != token) {
			c.add(CodePadTokenConfigOnly, fileConfig,
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
	c.add(CodeSpecialTokenMismatch, fileConfig,
		fmt.Sprintf("%s_id is %s, and the tokenizer's %s %q has the id %d", role, value.Raw, role, token, id))
}

// rows compares the pad token's id with the rows of the embedding.
func (c *tokenizerCheck) rows(modelConfig members) {
	rows := modelConfig.Get("vocab_size")
	id := c.info.PadTokenID
	if rows.Type == gjson.Number && id != nil && *id >= rows.Int() && rows.Int() > 0 {
		c.add(CodePadIDBeyondEmbeddings, c.file,
			fmt.Sprintf("the pad token %q has the id %d, and vocab_size gives %d rows of embeddings", *c.info.PadToken, *id, rows.Int()))
	}
}
