package detect

import (
	"strconv"
	"strings"

	"omniloader/loader/answer"
	"omniloader/loader/finding"
	"omniloader/loader/internal/checkpoint"
)

// Support says whether a loader is known for the classified checkpoint, and if not, why.
func Support(c *checkpoint.Directory, v *Classification) answer.Support {
	s := answer.Support{LoadsAs: answer.OrUnknown(v.loadsAs)}
	switch {
	case v.SAE != nil, v.Category == answer.Adapter, v.Category == answer.SAE, v.hasKnownLoader, v.loadsAs != "":
		s.IsSupported = true
		return s
	case hasModelingCode(c):
		s.IsSupported, s.RemoteCode = true, true
		return s
	}
	var reason string
	switch name, modelType := c.Architecture(), c.ModelType; {
	case len(v.Candidates) == 1:
		reason = "the model lies in the directory " + v.Candidates[0]
	case len(v.Candidates) > 0:
		reason = "it holds several models: give the directory or the file of one"
	case v.unknownGGUFArchitecture:
		reason = "no loader is known for the architecture " + strconv.Quote(modelType)
	case c.Doc.File == "" && v.Layout != LayoutUnknown:
		reason = "the layout is " + v.Layout + ", and no file says what kind of model it is"
	case c.Doc.File == "" && v.Category != answer.Unknown:
		reason = "no file names the class of the model"
	case c.Doc.File == "":
		reason = "nothing in the directory says what it is"
	case name != "":
		reason = "no loader is known for the class " + strconv.Quote(name)
		if modelType != "" {
			reason += " of model type " + strconv.Quote(modelType)
		}
		if near := c.Registry().NearestClass(name); near != "" {
			s.Nearest = &near
		}
	case modelType != "":
		reason = "no loader is known for the model type " + strconv.Quote(modelType)
	default:
		reason = c.Doc.File + " names no class"
	}
	s.Error = &reason
	return s
}

// ClassFindings reports a class that is not known or is spelled differently, a
// checkpoint that loads with its own code, one that was not recognized, and a model type
// that the class does not belong to.
func ClassFindings(c *checkpoint.Directory, v *Classification, s *answer.Support) (findings []answer.Finding) {
	name := c.Architecture()
	renamed := v.family != nil && v.family.LoadsAs != "" // checkpoints of the family name a class that another class loads
	switch {
	case s.RemoteCode:
		findings = append(findings, finding.New(finding.CustomCode, c.Doc.File,
			"no loader is known for "+answer.OrUnknown(name)+"; it loads by running the Python code it brings", "read the code before trusting it"))
	case !s.IsSupported && v.Category == answer.Unknown && len(v.Candidates) > 0: // reported by CandidateFindings
	case s.IsSupported && v.Category == answer.Unknown:
		findings = append(findings, finding.NewGraded(finding.Milder, finding.NothingRecognized, "",
			"the layout is "+v.Layout+"; no file says what kind of model it is", v.loadsAs+" runs it all the same; a pipeline_tag in "+checkpoint.CardFile+" would say what it is for"))
	case !s.IsSupported && v.Layout == LayoutUnknown && v.Category == answer.Unknown && c.Markers.Has(checkpoint.MarkerTokenizer) && c.Doc.File == "" && !c.HasModelWeights():
		findings = append(findings, finding.NewGraded(finding.Milder, finding.NothingRecognized, "", "the directory holds a tokenizer, and no model", "give the directory of the model that it belongs to, if a model is meant"))
	case !s.IsSupported && v.Category == answer.Unknown:
		hint := "give the directory that holds config.json, model_index.json or the weights"
		if v.Layout != LayoutUnknown {
			hint = "the file may be damaged: compare it with the model's repository, or look into the model card"
		}
		if v.Layout == ggmlLayout {
			hint = "the format is older than GGUF, and only old programs read it: get a GGUF file of the model, or convert this one with the tools of llama.cpp's time of it (convert_llama_ggml_to_gguf.py)"
		}
		findings = append(findings, finding.New(finding.NothingRecognized, c.Doc.File, *s.Error, hint))
	case !s.IsSupported:
		hint := "a newer loader may know it; one that runs the code of the model's repository does"
		if c.Doc.File == "" && !v.unknownGGUFArchitecture {
			hint = "the model card says which library loads it"
		}
		if s.Nearest != nil {
			hint = "the nearest class known is " + *s.Nearest
		}
		findings = append(findings, finding.New(finding.ArchitectureUnknown, c.Doc.File, *s.Error, hint))
	case v.class != nil && v.class.RealName != name && !renamed:
		findings = append(findings, finding.New(finding.ArchitectureSpelling, c.Doc.File,
			strconv.Quote(name)+" is "+v.class.RealName+" under another spelling", "write "+strconv.Quote(v.class.RealName)))
	}
	if v.class != nil && v.family != nil && !renamed && v.class.ModelType != "" && !areRelated(v.class.ModelType, v.family.ModelType) {
		findings = append(findings, finding.New(finding.ArchitectureMismatch, c.Doc.File,
			name+" belongs to model type "+strconv.Quote(v.class.ModelType)+", and the file says "+strconv.Quote(v.family.ModelType), "the class decides; correct the model type if it is a slip"))
	}
	return findings
}

// CandidateFindings reports a checkpoint that has candidates.
func CandidateFindings(v *Classification) []answer.Finding {
	if len(v.Candidates) == 0 {
		return nil
	}
	hint := "give the directory or the file of one of them"
	if len(v.Candidates) == 1 {
		hint = "give the directory " + v.Candidates[0]
	}
	return []answer.Finding{finding.New(finding.LayoutAmbiguous, "",
		strings.TrimPrefix(v.DecidedBy, "no rule: ")+": "+strings.Join(v.Candidates, ", "), hint)}
}

// areRelated tells whether one of the model types of a class, separated by commas,
// begins with modelType or the other way round.
func areRelated(classTypes, modelType string) bool {
	if classTypes == modelType {
		return true
	}
	for t := range strings.SplitSeq(classTypes, ",") {
		if strings.HasPrefix(t, modelType) || strings.HasPrefix(modelType, t) {
			return true
		}
	}
	return false
}
