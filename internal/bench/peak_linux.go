package bench

import (
	"bytes"
	"os"
	"strconv"
)

// peakRSS gives the largest resident set that this process has had, in bytes, or
// says why it is not known.
//
// It reads VmHWM of proc_pid_status(5). The ru_maxrss of getrusage(2) does not serve: it
// survives execve(2), so that a process that was just started has at least the value of
// its parent.
func peakRSS() (resident uint64, why string) {
	const missing = "/proc/self/status does not have the peak of the resident memory"
	text, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0, missing
	}
	for line := range bytes.Lines(text) {
		if value, ok := bytes.CutPrefix(line, []byte("VmHWM:")); ok {
			number, _, _ := bytes.Cut(bytes.TrimSpace(value), []byte(" "))
			kib, err := strconv.ParseUint(string(number), 10, 44)
			if err != nil || kib == 0 {
				return 0, missing
			}
			return kib << 10, ""
		}
	}
	return 0, missing
}
