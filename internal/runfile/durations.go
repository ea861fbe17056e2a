package runfile

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"os"
	"time"
)

// Durations is how long the scenarios of an earlier run took.
type Durations struct {
	ByID map[string]time.Duration // by the id of the scenario; the sum of all loaders and models
	Hash string                   // of the file: two files of the same hash divide a run alike
}

// ErrNoDurations is the kind of error of a run file in which no scenario has ended.
var ErrNoDurations = errors.New("no scenario")

// ReadDurations reads the durations in a run file. The file of a run that was killed has
// those of the scenarios that had ended. The error is an *Error.
func ReadDurations(path string) (*Durations, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, unreadable(path, err)
	}
	defer file.Close()
	hash := sha256.New()
	r, err := NewReader(io.TeeReader(file, hash), path)
	if err != nil {
		return nil, err
	}
	last := map[key]time.Duration{}
	for {
		record, err := r.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, err
		}
		if s := record.Scenario; s != nil {
			last[s.key()] = s.Duration
		}
	}
	if len(last) == 0 {
		return nil, &Error{Path: path, Offset: -1, Detail: "no scenario has ended in it", Advice: "name the file of a run that came to its end", Err: ErrNoDurations}
	}
	d := &Durations{ByID: map[string]time.Duration{}, Hash: hex.EncodeToString(hash.Sum(nil))}
	for k, duration := range last {
		d.ByID[k.id] += duration
	}
	return d, nil
}
