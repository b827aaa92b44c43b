// Command queue measures client-go's work queue: `queue KEYS`.
//
// It prints one JSON object per number of workers: CPU microseconds per key of the whole process.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"sync"
	"syscall"

	"k8s.io/client-go/util/workqueue"
)

type result struct {
	Workers int     `json:"workers"`
	AddUs   float64 `json:"add_us"`
	TakeUs  float64 `json:"take_us"`   // get and done of keys that are there already
	StreamUs float64 `json:"stream_us"` // add, get and done at once
}

func cpuMicroseconds() float64 {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		panic(err)
	}
	of := func(t syscall.Timeval) float64 { return float64(t.Sec)*1e6 + float64(t.Usec) }
	return of(usage.Utime) + of(usage.Stime)
}

func start(queue workqueue.TypedInterface[string], workers int) *sync.WaitGroup {
	var group sync.WaitGroup
	for range workers {
		group.Go(func() {
			for {
				key, shutdown := queue.Get()
				if shutdown {
					return
				}
				queue.Done(key)
			}
		})
	}
	return &group
}

func measure(keys []string, workers int) result {
	each := float64(len(keys))
	queue := workqueue.NewTyped[string]()
	began := cpuMicroseconds()
	for _, key := range keys {
		queue.Add(key)
	}
	added := cpuMicroseconds()
	queue.ShutDown()
	start(queue, workers).Wait()
	taken := cpuMicroseconds()

	queue = workqueue.NewTyped[string]()
	group := start(queue, workers)
	streaming := cpuMicroseconds()
	for _, key := range keys {
		queue.Add(key)
	}
	queue.ShutDown()
	group.Wait()
	streamed := cpuMicroseconds()
	return result{workers, (added - began) / each, (taken - added) / each, (streamed - streaming) / each}
}

func main() {
	count, err := strconv.Atoi(os.Args[1])
	if err != nil {
		panic(err)
	}
	keys := make([]string, count)
	for i := range keys {
		keys[i] = fmt.Sprintf("default/key-%06d", i)
	}
	for _, workers := range []int{1, 2, 4, 8} {
		if err := json.NewEncoder(os.Stdout).Encode(measure(keys, workers)); err != nil {
			panic(err)
		}
	}
}
