package answer

// Verification is the result of comparing a checkpoint's files with the hashes that
// its download recorded.
type Verification struct {
	Files      int      `json:"files"`              // number of files whose hash is the recorded one
	Bytes      int64    `json:"bytes" unit:"bytes"` // read to compute the hashes
	Mismatched []string `json:"mismatched"`         // files with another hash than the recorded one
	Unrecorded []string `json:"unrecorded"`         // files without a recorded hash
}
