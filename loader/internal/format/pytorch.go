package format

import (
	"slices"
	"strings"

	"omniloader/loader/answer"
	"omniloader/loader/finding"
	"omniloader/loader/internal/tree"
	"omniloader/loader/pickle"
)

// readPyTorch reads the tensors that a pickle would unpickle to, without unpickling it.
// Of tensors that share a storage, the first is added.
func readPyTorch(f *tree.File, h *tree.Handle, add func(Tensor)) (Header, error) {
	p, err := pickle.Read(h, h.Size, f.Name)
	if p == nil {
		return Header{Unusable: true}, err
	}
	counted := make([]bool, len(p.Storages))
	for i := range p.Tensors {
		t := &p.Tensors[i]
		if t.Storage >= 0 {
			if counted[t.Storage] {
				continue
			}
			counted[t.Storage] = true
		}
		add(Tensor{Name: []byte(t.Name), DType: answer.OrUnknown(t.DType), Rows: rows(t.Shape), Elements: t.Elements(), Bytes: t.Bytes()})
	}
	return Header{Findings: PickleFindings(p, f.Name, finding.PickleUnknown), Problems: p.Problems}, err
}

// PickleFindings reports dangerous imports of a pickle, and with the code unknown those
// that are on no list; "" for none of these.
func PickleFindings(p *pickle.File, file, unknown string) (findings []answer.Finding) {
	for _, risk := range [...]struct {
		risk pickle.Risk
		code string
	}{{pickle.Dangerous, finding.PickleDangerous}, {pickle.Suspicious, unknown}} {
		var names []string
		why := ""
		for _, i := range p.Imports {
			if i.Risk == risk.risk && !slices.Contains(names, i.String()) {
				names = append(names, i.String())
				if why == "" {
					why = i.Why
				}
			}
		}
		if risk.risk == pickle.Suspicious && len(names) > 0 && !slices.ContainsFunc(names, func(n string) bool { return !isTorchScriptName(n) }) {
			findings = append(findings, finding.NewGraded(finding.Milder, finding.PickleUnknown, file,
				"it is a TorchScript program: it contains its own code", "torch.jit.load runs them: load it only from where you trust"))
			continue
		}
		if len(names) > 0 && risk.code != "" {
			if len(names) > 3 {
				names = append(names[:3], "…")
			}
			message := "unpickling it imports " + strings.Join(names, ", ")
			if why != "" {
				message += ": " + why
			}
			findings = append(findings, finding.New(risk.code, file, message, ""))
		}
	}
	return findings
}

// isTorchScriptName tells whether a class is one of a TorchScript archive, or one that
// builds TorchScript's lists.
func isTorchScriptName(name string) bool {
	return strings.HasPrefix(name, "__torch__.") || strings.HasPrefix(name, "torch.jit._pickle.")
}
