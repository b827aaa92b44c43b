// The same operator as widgets.py and handlers.py, with controller-runtime.
//
//	operator KUBECONFIG
//
// Each Widget owns one ConfigMap of its name with its spec.value in data.value, and has a status of that value.
package main

import (
	"context"
	"log"
	"os"
	"time"

	"go.uber.org/zap/zapcore"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/tools/clientcmd"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"
	logging "sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"
	"sigs.k8s.io/controller-runtime/pkg/metrics/server"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
)

const workers = 8

var groupVersion = schema.GroupVersion{Group: "bench.example.org", Version: "v1"}

type WidgetSpec struct {
	Value string `json:"value"`
}

type WidgetStatus struct {
	Value              string `json:"value,omitempty"`
	ObservedGeneration int64  `json:"observedGeneration,omitempty"`
}

type Widget struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`
	Spec              WidgetSpec   `json:"spec"`
	Status            WidgetStatus `json:"status,omitempty"`
}

func (w *Widget) DeepCopyObject() runtime.Object {
	copied := *w
	w.ObjectMeta.DeepCopyInto(&copied.ObjectMeta)
	return &copied
}

type WidgetList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []Widget `json:"items"`
}

func (l *WidgetList) DeepCopyObject() runtime.Object {
	copied := WidgetList{TypeMeta: l.TypeMeta, Items: make([]Widget, len(l.Items))}
	l.ListMeta.DeepCopyInto(&copied.ListMeta)
	for i := range l.Items {
		copied.Items[i] = *l.Items[i].DeepCopyObject().(*Widget)
	}
	return &copied
}

type reconciler struct {
	client.Client
}

func (r *reconciler) Reconcile(ctx context.Context, request ctrl.Request) (ctrl.Result, error) {
	widget := &Widget{}
	if err := r.Get(ctx, request.NamespacedName, widget); err != nil {
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	config := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: widget.Namespace, Name: widget.Name}}
	_, err := controllerutil.CreateOrUpdate(ctx, r.Client, config, func() error {
		if config.Data == nil {
			config.Data = map[string]string{}
		}
		config.Data["value"] = widget.Spec.Value
		return controllerutil.SetControllerReference(widget, config, r.Scheme())
	})
	if err != nil {
		return ctrl.Result{}, again(err)
	}
	status := WidgetStatus{Value: widget.Spec.Value, ObservedGeneration: widget.Generation}
	if widget.Status == status {
		return ctrl.Result{}, nil
	}
	widget.Status = status
	return ctrl.Result{}, again(r.Status().Update(ctx, widget))
}

// What the cache has not seen yet comes again by itself, as the documentation advises.
func again(err error) error {
	if apierrors.IsConflict(err) || apierrors.IsAlreadyExists(err) {
		logging.Log.V(1).Info("the cache lags", "error", err.Error())
	}
	return err
}

func main() {
	logging.SetLogger(zap.New(zap.Level(zapcore.ErrorLevel)))
	config, err := clientcmd.BuildConfigFromFlags("", os.Args[1])
	check(err)
	config.QPS = -1
	scheme := runtime.NewScheme()
	check(corev1.AddToScheme(scheme))
	scheme.AddKnownTypes(groupVersion, &Widget{}, &WidgetList{})
	metav1.AddToGroupVersion(scheme, groupVersion)
	grace := 5 * time.Second
	manager, err := ctrl.NewManager(config, ctrl.Options{
		Scheme:                  scheme,
		Metrics:                 server.Options{BindAddress: "0"},
		GracefulShutdownTimeout: &grace,
	})
	check(err)
	check(ctrl.NewControllerManagedBy(manager).
		For(&Widget{}, builder.WithPredicates(predicate.GenerationChangedPredicate{})).
		Owns(&corev1.ConfigMap{}).
		WithOptions(controller.Options{MaxConcurrentReconciles: workers}).
		Complete(&reconciler{manager.GetClient()}))
	check(manager.Start(ctrl.SetupSignalHandler()))
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
