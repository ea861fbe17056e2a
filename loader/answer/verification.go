package answer

// Verification says how far a checkpoint's files were compared with the hashes
// that its download left on record.
type Verification struct {
	Files      int      `json:"files"`      // compared, and found to be what the record says
	Bytes      int64    `json:"bytes"`      // read for it
	Mismatched []string `json:"mismatched"` // compared, and found to be something else
	Unrecorded []string `json:"unrecorded"` // files of which no hash is on record
}
