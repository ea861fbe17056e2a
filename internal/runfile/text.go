package runfile

import (
	"bytes"
	"encoding/json"
	"errors"
	"unicode/utf8"
)

// Text is text that may hold bytes that are no UTF-8, such as the name of a file of a
// checkpoint. Its JSON is a string, or {"base64": "…"} for text that is no UTF-8.
type Text string

type encodedText struct {
	Base64 []byte `json:"base64"`
}

// MarshalJSON gives the JSON of the text.
func (t Text) MarshalJSON() ([]byte, error) {
	if t.plain() {
		quoted := make([]byte, 0, len(t)+2)
		quoted = append(quoted, '"')
		quoted = append(quoted, t...)
		return append(quoted, '"'), nil
	}
	if !utf8.ValidString(string(t)) {
		return json.Marshal(encodedText{[]byte(t)})
	}
	var b bytes.Buffer
	b.Grow(len(t) + 2)
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(string(t)); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

// plain says that the text is ASCII of which nothing has to be escaped, as paths are.
func (t Text) plain() bool {
	for i := range len(t) {
		if c := t[i]; c < ' ' || c == '"' || c == '\\' || c >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// UnmarshalJSON takes what MarshalJSON gives.
func (t *Text) UnmarshalJSON(data []byte) error {
	switch {
	case len(data) > 0 && data[0] == '"':
		return json.Unmarshal(data, (*string)(t))
	case string(data) == "null":
		return nil
	}
	var encoded encodedText
	if json.Unmarshal(data, &encoded) != nil || encoded.Base64 == nil {
		return errors.New(`a text is a string, or an object with the key "base64"`)
	}
	*t = Text(encoded.Base64)
	return nil
}

// cutText gives the start of a text that is longer than limit bytes, without cutting a
// character in two, and whether anything was cut.
func cutText(text string, limit int) (string, bool) {
	if len(text) <= limit {
		return text, false
	}
	end := limit
	for end > limit-utf8.UTFMax && end > 0 && !utf8.RuneStart(text[end]) {
		end--
	}
	return text[:end], true
}

// Excerpt is text of which the file keeps the start.
type Excerpt struct {
	Text  Text `json:"text"`
	Bytes int  `json:"bytes,omitempty"` // length of the whole text where it was cut, else 0
}

// NewExcerpt keeps at most limit bytes of a text.
func NewExcerpt(text string, limit int) *Excerpt {
	kept, cut := cutText(text, limit)
	e := &Excerpt{Text: Text(kept)}
	if cut {
		e.Bytes = len(text)
	}
	return e
}
