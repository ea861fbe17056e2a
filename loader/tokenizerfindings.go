package loader

import (
	"fmt"
	"io/fs"
	"slices"
	"strconv"

	"github.com/tidwall/gjson"

	"omniloader/loader/tokenizer"
)

// TokenizerFindings says how a tokenizer, as LoadTokenizer gave it, fits the model
// at dir: whether its pad token can be padded with, whether its named tokens exist,
// and whether config.json means the same tokens. Files that cannot be read are left
// to Inspect. The order of the findings is fixed.
func (l *Loader) TokenizerFindings(fsys fs.FS, dir string, t *tokenizer.Tokenizer, info *TokenizerInfo) []Finding {
	check := tokenizerCheck{t: t, info: info, findings: []Finding{}}
	if len(info.Files) > 0 {
		check.file = info.Files[0]
	}
	check.named()
	// A base model's tokenizer is compared with the base model's config: an adapter
	// or an autoencoder has none of its own that speaks of tokens.
	if info.Origin != OriginCheckpoint {
		dir = info.Path
	}
	if config, err := readObject(fsys, dir, fileConfig); err == nil {
		check.against(config)
	}
	check.pad()
	sortFindings(check.findings)
	return check.findings
}

type tokenizerCheck struct {
	t        *tokenizer.Tokenizer
	info     *TokenizerInfo
	file     string // of the vocabulary
	findings []Finding
}

func (c *tokenizerCheck) add(code, file, message string) {
	c.findings = append(c.findings, finding(code, file, message, ""))
}

// named reports named tokens that are in no vocabulary and on no list.
func (c *tokenizerCheck) named() {
	for _, a := range c.t.Config().Unlisted {
		c.add(CodeTokenNotInVocabulary, c.file,
			fmt.Sprintf("%q is named as a special token, and no file gives it an id: it gets %d", a.Content, a.ID))
	}
	if pad, ok := c.t.PadToken(); ok && pad.ID < 0 {
		c.add(CodeTokenNotInVocabulary, c.file,
			fmt.Sprintf("the pad token %q, from %s, is not in the vocabulary", pad.Token, pad.Source))
	}
}

// pad reports a pad token that is the end of a text too. Where nothing gives one and
// the end of text stands in, Inspect says so.
func (c *tokenizerCheck) pad() {
	pad, ok := c.t.PadToken()
	if ok && pad.Source != "eos_token" && pad.Token == c.info.SpecialTokens["eos_token"] {
		c.add(CodePadTokenIsEOS, pad.Source,
			fmt.Sprintf("%q is both the pad token and the end of a text", pad.Token))
	}
}

// against compares the tokenizer with the model's config.
func (c *tokenizerCheck) against(config gjson.Result) {
	if text := config.Get("text_config"); text.IsObject() && !config.Get("vocab_size").Exists() {
		for _, role := range specialRoles {
			if key := role + "_id"; config.Get(key).Exists() {
				c.role(config, role)
			} else {
				c.role(text, role)
			}
		}
		c.rows(text)
		return
	}
	for _, role := range specialRoles {
		c.role(config, role)
	}
	c.rows(config)
}

// role compares the id that the config gives a special token with the tokenizer's.
// The config may list several ends of a text.
func (c *tokenizerCheck) role(config gjson.Result, role string) {
	value := config.Get(role + "_id")
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
	if role == "pad_token" && (!ok || *c.info.PadTokenSource == "eos_token") {
		name, known := "", false
		if ids[0] <= c.t.MaxID() {
			name, known = c.t.Token(uint32(ids[0]))
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
	id, ok := c.t.TokenID(token)
	if !ok || slices.Contains(ids, int64(id)) {
		return
	}
	c.add(CodeSpecialTokenMismatch, fileConfig,
		fmt.Sprintf("%s_id is %s, and the tokenizer's %s %q has the id %d", role, value.Raw, role, token, id))
}

// rows compares the pad token's id with the rows of the embedding.
func (c *tokenizerCheck) rows(config gjson.Result) {
	rows := config.Get("vocab_size")
	pad, ok := c.t.PadToken()
	if rows.Type == gjson.Number && ok && pad.ID >= rows.Int() && rows.Int() > 0 {
		c.add(CodePadIDBeyondEmbeddings, c.file,
			fmt.Sprintf("the pad token %q has the id %d, and vocab_size gives %d rows of embeddings", pad.Token, pad.ID, rows.Int()))
	}
}
