package tokenizer_test

import (
	"fmt"
	"os"

	"omniloader/loader/tokenizer"
)

func ExampleLoad() {
	tok, err := tokenizer.Load(os.DirFS("testdata"), "bert_uncased")
	if err != nil {
		fmt.Println(err)
		return
	}
	pad, _ := tok.PadToken()
	fmt.Println(tok.Kind(), tok.VocabSize(), pad.Token, "from", pad.Source)
	// Output: WordPiece 1884 [PAD] from tokenizer_config.json
}

func ExampleTokenizer_IDs() {
	tok, err := tokenizer.Load(os.DirFS("testdata"), "gpt2")
	if err != nil {
		fmt.Println(err)
		return
	}
	ids, err := tok.IDs("The other one", true)
	fmt.Println(ids, err)
	fmt.Println(tok.Decode(ids, true))
	// Output:
	// [51 272 312 983 558 68] <nil>
	// The other one
}

func ExampleTokenizer_EncodePair() {
	tok, err := tokenizer.Load(os.DirFS("testdata"), "bert_uncased")
	if err != nil {
		fmt.Println(err)
		return
	}
	e, err := tok.EncodePair("the end", "of it", tokenizer.EncodeOptions{})
	if err != nil {
		fmt.Println(err)
		return
	}
	for i, token := range e.Tokens {
		fmt.Print(token, e.Offsets[i], " ", e.TypeIDs[i], " ")
	}
	fmt.Println()
	// Output: [CLS]{0 0} 0 the{0 3} 0 end{4 7} 0 [SEP]{0 0} 0 of{0 2} 1 it{3 5} 1 [SEP]{0 0} 1
}
