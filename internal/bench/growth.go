package bench

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"time"

	"omniloader/internal/quantity"

	"gonum.org/v1/gonum/stat"
)

// Growth is how the time of an operation grows with the size of its input.
type Growth struct {
	Points   []Point `json:"points"`   // by size, ascending
	Exponent float64 `json:"exponent"` // 1: twice the size takes twice the time; 2: four times
}

// Point is one size of input and the time it took.
type Point struct {
	Bytes  float64 `json:"bytes"`
	Floor  Seconds `json:"floor_time"` // the fastest call
	Calls  int     `json:"calls"`
	Median Seconds `json:"median_time"`
}

// SizedOperation is an operation on an input of known size.
type SizedOperation struct {
	Bytes float64
	Call  func() (any, error)
}

const (
	growthBudget   = 100 * time.Millisecond // time of all calls for one size, about
	minGrowthCalls = 3                      // calls for each size
	maxGrowthCalls = 100
)

// MeasureGrowth times an operation on inputs of several sizes, smallest first, and
// fits time = constant x size^exponent by least squares of the logarithms, to the
// fastest call of each size: other work on the machine only adds time. It takes
// two sizes or more, each at least twice the one before, as the slope between closer
// sizes would be mostly noise.
//
// The first failing call ends it with a *CallError, the end of the context with an
// error that is ErrInterrupted.
func MeasureGrowth(ctx context.Context, sizes []SizedOperation) (*Growth, error) {
	if len(sizes) < 2 {
		return nil, errors.New("a growth is measured over two sizes or more")
	}
	for i, s := range sizes[1:] {
		if !(s.Bytes >= 2*sizes[i].Bytes) || sizes[i].Bytes <= 0 {
			return nil, errors.New("a growth is measured over sizes in ascending order, each at least twice the one before")
		}
	}
	exclusive.Lock()
	defer exclusive.Unlock()
	g := &Growth{}
	for _, s := range sizes {
		p, err := growthPoint(ctx, s)
		if err != nil {
			return nil, fmt.Errorf("at %s: %w", quantity.FormatSize(s.Bytes), err)
		}
		g.Points = append(g.Points, p)
	}
	var err error
	g.Exponent, err = exponent(g.Points)
	return g, err
}

func growthPoint(ctx context.Context, s SizedOperation) (Point, error) {
	runner := callRunner{ctx: ctx, call: s.Call}
	var calls []time.Duration
	for start := time.Now(); len(calls) < minGrowthCalls || len(calls) < maxGrowthCalls && time.Since(start) < growthBudget; {
		began := time.Now()
		if err := runner.callOnce("timed", len(calls)); err != nil {
			return Point{}, err
		}
		calls = append(calls, time.Since(began))
	}
	sum := Summarize(calls)
	return Point{Bytes: s.Bytes, Floor: Seconds(sum.Min), Calls: len(calls), Median: Seconds(sum.Median)}, nil
}

// exponent is the slope of the logarithm of time over that of size.
func exponent(points []Point) (float64, error) {
	var sizes, times []float64
	for _, p := range points {
		if !(p.Floor > 0) {
			return 0, fmt.Errorf("a call at %s is too short for the clock", quantity.FormatSize(p.Bytes))
		}
		sizes, times = append(sizes, math.Log(p.Bytes)), append(times, math.Log(float64(p.Floor)))
	}
	_, slope := stat.LinearRegression(sizes, times, nil, false)
	return slope, nil
}

// String lists the points: "fastest call at 1 MB 1.2 ms (of 83), at 10 MB 13 ms (of 8)".
func (g *Growth) String() string {
	texts := make([]string, len(g.Points))
	for i, p := range g.Points {
		texts[i] = fmt.Sprintf("at %s %s (of %d)", quantity.FormatSize(p.Bytes), quantity.FormatDuration(float64(p.Floor)), p.Calls)
	}
	return "fastest call " + strings.Join(texts, ", ")
}
