package check

import (
	"fmt"
	"path"

	"github.com/tidwall/gjson"

	"omniloader/loader/answer"
	"omniloader/loader/finding"
	"omniloader/loader/internal/config"
	"omniloader/loader/internal/format"
	"omniloader/loader/internal/tree"
)

// maxComparedSAEs is how many autoencoders of a release are compared with their configs.
const maxComparedSAEs = 64

// saeConfigs gives the weight file that stands beside a config of autoencoders, by the
// config's name and keys. Source: SAELens (sae_lens/loading) and sparsify.
var saeConfigs = []struct{ key, weights string }{
	{"d_sae", "sae_weights.safetensors"},
	{"hook_name", "sae_weights.safetensors"},
	{"metadata.hook_name", "sae_weights.safetensors"},
	{"num_latents", "sae.safetensors"},
}

// The config of each autoencoder is compared with its weights.
var _ = register(Check{
	Name:  "sae-weights",
	Codes: []string{finding.WeightsMissing, finding.ShapeMismatch, finding.TensorMissing},
	Run: func(f *Facts) (findings []answer.Finding) {
		if f.Info.SAE == nil {
			return nil
		}
		byName := make(map[string]*tree.File, len(f.Files))
		for i := range f.Files {
			byName[f.Files[i].Name] = &f.Files[i]
		}
		compared := 0
		for i := range f.Files {
			file := &f.Files[i]
			if file.Base() != "cfg.json" || file.Problem != nil || compared == maxComparedSAEs {
				continue
			}
			cfg, err := config.ReadJSON(f.Checkpoint.FS, f.Checkpoint.Dir, file.Name)
			if err != nil {
				continue // reported with the release
			}
			for _, c := range saeConfigs {
				if !cfg.Get(c.key).Exists() {
					continue
				}
				compared++
				name := path.Join(file.Dir(), c.weights)
				if byName[name] == nil {
					findings = append(findings, finding.New(finding.WeightsMissing, name, "its config is here, and the weights are not", f.Checkpoint.DownloadHint(name)))
				} else if c.weights == "sae_weights.safetensors" {
					findings = append(findings, compareSAE(f, cfg, byName[name])...)
				}
				break
			}
		}
		return findings
	},
})

// compareSAE compares the tensors of an autoencoder of SAELens with its config. W_enc is
// d_in by d_sae, in sae_lens/saes/sae.py; those of the architecture jumprelu have a
// threshold.
func compareSAE(f *Facts, cfg gjson.Result, file *tree.File) []answer.Finding {
	h, err := tree.OpenAt(f.Checkpoint.FS, f.Checkpoint.Dir, file.Name)
	if err != nil {
		return nil // reported with the weights
	}
	defer h.Close()
	tensors := map[string]format.Tensor{}
	if _, err := format.ByName("safetensors").Read(file, h, func(t format.Tensor) {
		if len(tensors) < 64 {
			tensors[string(t.Name)] = t
		}
	}); err != nil {
		return nil
	}
	in, hidden := cfg.Get("d_in").Int(), cfg.Get("d_sae").Int()
	encoder, ok := tensors["W_enc"]
	switch {
	case !ok:
		return single(finding.TensorMissing, file.Name, "no tensor W_enc, the encoder", "")
	case in > 0 && encoder.Rows != in, hidden > 0 && encoder.Rows > 0 && encoder.Elements/encoder.Rows != hidden:
		return single(finding.ShapeMismatch, file.Name, fmt.Sprintf("W_enc is %d by %d, and cfg.json gives d_in %d and d_sae %d", encoder.Rows, encoder.Elements/max(encoder.Rows, 1), in, hidden), "")
	}
	if _, ok := tensors["threshold"]; !ok && cfg.Get("architecture").Str == "jumprelu" {
		if _, folded := tensors["log_threshold"]; !folded {
			return single(finding.TensorMissing, file.Name, "no tensor threshold, which the architecture jumprelu of cfg.json has", "")
		}
	}
	return nil
}
