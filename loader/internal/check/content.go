package check

import (
	"bytes"
	"fmt"

	"omniloader/loader/answer"
	"omniloader/loader/finding"
)

// Weights that hold nothing: files without a tensor, or tensors without elements. DeepSpeed
// saves each tensor with the shape [0] under ZeRO stage 3, where no process has all of it;
// other names than those of weights may be empty on purpose, as the g_idx of GPTQ.
var _ = register(Check{
	Name:  "weights-content",
	Codes: []string{finding.WeightsEmpty},
	Needs: Weights,
	Run: func(f *Facts) []answer.Finding {
		w := f.Weights
		if len(w.Info.Files) == 0 {
			return nil // none of the files is here, which is reported
		}
		var elements int64
		empty, first := 0, 0
		for i := range w.Tensors.List {
			n := w.Tensors.List[i].Elements
			elements += n
			if name := w.Tensors.Name(i); n == 0 && (bytes.HasSuffix(name, []byte(".weight")) || string(name) == "weight") {
				if empty == 0 {
					first = i
				}
				empty++
			}
		}
		message, hint := "", ""
		switch tensors := len(w.Tensors.List); {
		case tensors == 0 && !w.SomeUnread && !w.Incomplete:
			message = "there is no tensor in " + finding.JoinFirst(w.Info.Files)
			if len(w.GGUF) > 0 && w.GGUF[0].Key("tokenizer.ggml.tokens").Len() > 0 {
				message = fmt.Sprintf("a vocabulary of %d tokens, and no tensor", w.GGUF[0].Key("tokenizer.ggml.tokens").Len())
				hint = "It serves as a tokenizer alone; for a model, get a GGUF file with its weights."
			}
		case tensors > 0 && elements == 0 && !w.SomeUnread:
			message = fmt.Sprintf("%s, none of which has an element: the shape of %.120q has a 0", finding.Plural(tensors, "tensor"), w.Tensors.Name(0))
		case empty > 0:
			verb := "have"
			if empty == 1 {
				verb = "has"
			}
			message = fmt.Sprintf("%d of %s %s no elements, %.120q first: a shape with a 0", empty, finding.Plural(tensors, "tensor"), verb, w.Tensors.Name(first))
		default:
			return nil
		}
		return single(finding.WeightsEmpty, w.Info.Files[0], message, hint)
	},
})
