package suite

import "omniloader/internal/runfile"

// identities returns the identity of each scenario of feature files, selected or not: the
// selection must not change the number of one that only its number tells from another.
func identities(features []*Feature) map[*Scenario]runfile.Identity {
	all := map[*Scenario]runfile.Identity{}
	numberings := map[string]*runfile.Numbering{} // by model: each has every scenario
	for _, f := range features {
		for _, s := range f.Scenarios {
			identity := runfile.Identity{File: s.URI, Rule: s.Rule, Name: s.NameInFile(), Row: s.row}
			if numberings[s.Model] == nil {
				numberings[s.Model] = new(runfile.Numbering)
			}
			numberings[s.Model].Assign(&identity)
			all[s] = identity
		}
	}
	return all
}

// IDs returns the ids of all scenarios of feature files, selected or not, see
// runfile.Identity.
func IDs(features []*Feature) map[string]bool {
	ids := map[string]bool{}
	for _, identity := range identities(features) {
		ids[identity.ID()] = true
	}
	return ids
}

// IDs returns the ids of the selected scenarios, in the order of features and lines.
func (p *Plan) IDs() []string {
	all := identities(p.features)
	var ids []string
	for _, s := range p.Scenarios() {
		identity := all[s]
		ids = append(ids, identity.ID())
	}
	return ids
}
