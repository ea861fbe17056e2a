package bench

import (
	"fmt"
	"os"
	"strings"
	"time"
)

// clockTicks are the ticks of /proc/stat in a second: the kernel gives that file to
// programs in hundredths whatever its own clock, see proc(5).
const clockTicks = 100

// cpuTimes are what all processors together did since the machine was started, in
// seconds, and what this process and its children that have ended took of it.
type cpuTimes struct {
	at           time.Time
	total, steal float64 // of all processors
	used         float64 // by any program, the kernel included
	own          float64
}

// readCPUTimes reads the times; ok is false where the system does not tell them.
func readCPUTimes() (t cpuTimes, ok bool) {
	text, err := os.ReadFile("/proc/stat")
	if err != nil {
		return t, false
	}
	if t, ok = parseCPUTimes(string(text)); !ok {
		return t, false
	}
	t.at = time.Now()
	t.own, ok = ownCPU()
	return t, ok
}

// parseCPUTimes reads the first line of /proc/stat: user, nice, system, idle, iowait,
// irq, softirq and steal, of all processors together.
func parseCPUTimes(text string) (t cpuTimes, ok bool) {
	line, _, _ := strings.Cut(text, "\n")
	var user, nice, system, idle, iowait, irq, softirq, steal float64
	if _, err := fmt.Sscanf(line, "cpu %f %f %f %f %f %f %f %f", &user, &nice, &system, &idle, &iowait, &irq, &softirq, &steal); err != nil {
		return t, false
	}
	t.used = (user + nice + system + irq + softirq) / clockTicks
	t.steal = steal / clockTicks
	t.total = t.used + t.steal + (idle+iowait)/clockTicks
	return t, true
}

// WatchOtherLoad notes what else the machine does from now on. The answer puts what it was
// into an environment, under StealKey and OtherCPUKey; where the system does not
// tell, it leaves that as it is.
func WatchOtherLoad() (note func(environment map[string]any)) {
	before, ok := readCPUTimes()
	return func(environment map[string]any) {
		if now, still := readCPUTimes(); ok && still {
			now.since(before, environment)
		}
	}
}

func (t cpuTimes) since(before cpuTimes, environment map[string]any) {
	wall, total := t.at.Sub(before.at).Seconds(), t.total-before.total
	if wall <= 0 || total <= 0 {
		return
	}
	environment[StealKey] = round3((t.steal - before.steal) / total)
	environment[OtherCPUKey] = round3(max(0, (t.used-before.used)-(t.own-before.own)) / wall)
}

func round3(v float64) float64 { return float64(int(v*1000+0.5)) / 1000 }
