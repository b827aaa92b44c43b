// Command clientgo measures client-go's shared informers: `clientgo dynamic|typed|metadata URL KIND`.
//
// It obeys the same commands as the Python adapters (see ../adapters/phases.py): sync, settle,
// burst, paced, quit. Informers are made as client-go's own examples make them; whether initial
// lists are streamed is client-go's default, or KUBE_FEATURE_WatchListClient.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/dynamic/dynamicinformer"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/metadata/metadatainformer"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"
)

var resources = map[string]schema.GroupVersionResource{
	"widgets": {Group: "bench.example.org", Version: "v1", Resource: "widgets"},
	"pods":    {Version: "v1", Resource: "pods"},
}

// probe is a handler that takes each object's key and counts.
type probe struct {
	calls  atomic.Int64
	marker atomic.Pointer[string]
	seen   chan struct{}
	timing atomic.Bool
	times  map[string]int64 // by resourceVersion; only the handler's goroutine writes
}

func (p *probe) note(obj any) {
	if gone, ok := obj.(cache.DeletedFinalStateUnknown); ok {
		obj = gone.Obj
	}
	if _, err := cache.MetaNamespaceKeyFunc(obj); err != nil {
		panic(err)
	}
	p.calls.Add(1)
	accessor, err := meta.Accessor(obj)
	if err != nil {
		panic(err)
	}
	version := accessor.GetResourceVersion()
	if p.timing.Load() {
		p.times[version] = time.Now().UnixNano()
	}
	if marker := p.marker.Load(); marker != nil && *marker == version {
		close(p.seen)
	}
}

func (p *probe) handler() cache.ResourceEventHandlerFuncs {
	return cache.ResourceEventHandlerFuncs{
		AddFunc:    p.note,
		UpdateFunc: func(_, obj any) { p.note(obj) },
		DeleteFunc: p.note,
	}
}

func (p *probe) arm(version string, timing bool) {
	p.seen = make(chan struct{})
	p.times = map[string]int64{}
	p.marker.Store(&version)
	p.timing.Store(timing)
	p.calls.Store(0)
}

func informerOf(kind, url, name string) cache.SharedIndexInformer {
	config := &rest.Config{Host: url, QPS: -1}
	resource := resources[name]
	switch kind {
	case "dynamic":
		client := dynamic.NewForConfigOrDie(config)
		return dynamicinformer.NewDynamicSharedInformerFactory(client, 0).ForResource(resource).Informer()
	case "metadata":
		client := metadata.NewForConfigOrDie(config)
		return metadatainformer.NewSharedInformerFactory(client, 0).ForResource(resource).Informer()
	}
	return informers.NewSharedInformerFactory(kubernetes.NewForConfigOrDie(config), 0).Core().V1().Pods().Informer()
}

func main() {
	informer := informerOf(os.Args[1], os.Args[2], os.Args[3])
	handlers, _ := strconv.Atoi(os.Getenv("BENCH_HANDLERS"))
	probes := make([]*probe, max(1, handlers))
	registrations := make([]cache.ResourceEventHandlerRegistration, len(probes))
	for n := range probes {
		probes[n] = &probe{}
		registration, err := informer.AddEventHandler(probes[n].handler())
		if err != nil {
			panic(err)
		}
		registrations[n] = registration
	}
	say("ready")
	commands := bufio.NewScanner(os.Stdin)
	for commands.Scan() {
		words := strings.Fields(commands.Text())
		switch words[0] {
		case "sync":
			go informer.RunWithContext(context.Background())
			for _, registration := range registrations {
				cache.WaitForCacheSync(nil, registration.HasSynced)
			}
			say("synced", len(informer.GetStore().ListKeys()))
		case "settle":
			for range 2 {
				runtime.GC()
				debug.FreeOSMemory()
			}
			say("settled")
		case "burst", "paced":
			for _, each := range probes {
				each.arm(words[1], words[0] == "paced")
			}
			say("armed")
			for _, each := range probes {
				<-each.seen
			}
			say(words[0], probes[0].calls.Load(), len(informer.GetStore().ListKeys()))
			if words[0] == "paced" {
				times, err := json.Marshal(probes[0].times)
				if err != nil {
					panic(err)
				}
				say(string(times))
			}
		case "quit":
			return
		}
	}
}

func say(words ...any) {
	fmt.Println(words...)
}
