// Command oracle prints the targets that Prometheus' own functions make of the objects in a file, as JSON.
// Usage: oracle OBJECTS ROLE [node] [namespace]
package main

import (
	"encoding/json"
	"log"
	"log/slog"
	"os"
	"sort"

	"github.com/prometheus/prometheus/discovery/targetgroup"
	apiv1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/client-go/tools/cache"
)

type joined struct {
	logger                 *slog.Logger
	nodeInf                cache.SharedInformer
	withNodeMetadata       bool
	namespaceInf           cache.SharedInformer
	withNamespaceMetadata  bool
	replicaSetInf          cache.SharedInformer
	withDeploymentMetadata bool
	jobInf                 cache.SharedInformer
	withJobMetadata        bool
	withCronJobMetadata    bool
	podStore               cache.Store
	serviceStore           cache.Store
}

type (
	Pod           struct{ joined }
	Endpoints     struct{ joined }
	EndpointSlice struct{ joined }
	Node          struct{ joined }
	Service       struct{ joined }
	Ingress       struct{ joined }
)

type cluster struct {
	Namespaces     []*apiv1.Namespace
	Nodes          []*apiv1.Node
	Pods           []*apiv1.Pod
	Services       []*apiv1.Service
	Endpoints      []*apiv1.Endpoints
	EndpointSlices []*discoveryv1.EndpointSlice
	Ingresses      []*networkingv1.Ingress
}

func main() {
	text, err := os.ReadFile(os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	var objects cluster
	if err := json.Unmarshal(text, &objects); err != nil {
		log.Fatal(err)
	}
	with := map[string]bool{}
	for _, option := range os.Args[3:] {
		with[option] = true
	}

	targets := []map[string]string{}
	for _, group := range groups(objects, os.Args[2], with) {
		if group == nil {
			continue
		}
		for _, target := range group.Targets {
			labels := map[string]string{}
			for name, value := range group.Labels.Merge(target) {
				if value != "" {
					labels[string(name)] = string(value)
				}
			}
			targets = append(targets, labels)
		}
	}
	sort.Slice(targets, func(i, j int) bool {
		left, _ := json.Marshal(targets[i])
		right, _ := json.Marshal(targets[j])
		return string(left) < string(right)
	})
	out := json.NewEncoder(os.Stdout)
	out.SetIndent("", "  ")
	out.SetEscapeHTML(false)
	if err := out.Encode(targets); err != nil {
		log.Fatal(err)
	}
}

func groups(objects cluster, role string, with map[string]bool) (made []*targetgroup.Group) {
	nodes, namespaces, pods, services := cache.Store{}, cache.Store{}, cache.Store{}, cache.Store{}
	for _, item := range objects.Nodes {
		nodes[item.Name] = item
	}
	for _, item := range objects.Namespaces {
		namespaces[item.Name] = item
	}
	for _, item := range objects.Pods {
		pods[item.Namespace+"/"+item.Name] = item
	}
	for _, item := range objects.Services {
		services[item.Namespace+"/"+item.Name] = item
	}
	j := joined{
		logger: &slog.Logger{}, nodeInf: nodes, withNodeMetadata: with["node"], namespaceInf: namespaces, withNamespaceMetadata: with["namespace"],
		podStore: pods, serviceStore: services,
	}
	switch role {
	case "pod":
		for _, item := range objects.Pods {
			made = append(made, (&Pod{j}).buildPod(item))
		}
	case "node":
		for _, item := range objects.Nodes {
			made = append(made, (&Node{j}).buildNode(item))
		}
	case "service":
		for _, item := range objects.Services {
			made = append(made, (&Service{j}).buildService(item))
		}
	case "endpoints":
		for _, item := range objects.Endpoints {
			made = append(made, (&Endpoints{j}).buildEndpoints(item))
		}
	case "endpointslice":
		for _, item := range objects.EndpointSlices {
			made = append(made, (&EndpointSlice{j}).buildEndpointSlice(*item))
		}
	case "ingress":
		for _, item := range objects.Ingresses {
			made = append(made, (&Ingress{j}).buildIngress(*item))
		}
	default:
		log.Fatalf("no role %q", role)
	}
	return made
}
