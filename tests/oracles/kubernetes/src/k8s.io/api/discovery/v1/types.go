// Package v1 has the fields of endpoint slices that target labels are made of.
package v1

import (
	apiv1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

const LabelServiceName = "kubernetes.io/service-name"

type EndpointPort struct {
	Name        *string         `json:"name"`
	Protocol    *apiv1.Protocol `json:"protocol"`
	Port        *int32          `json:"port"`
	AppProtocol *string         `json:"appProtocol"`
}

type Endpoint struct {
	Addresses  []string `json:"addresses"`
	Conditions struct {
		Ready       *bool `json:"ready"`
		Serving     *bool `json:"serving"`
		Terminating *bool `json:"terminating"`
	} `json:"conditions"`
	Hostname           *string                `json:"hostname"`
	TargetRef          *apiv1.ObjectReference `json:"targetRef"`
	DeprecatedTopology map[string]string      `json:"deprecatedTopology"`
	NodeName           *string                `json:"nodeName"`
	Zone               *string                `json:"zone"`
}

type EndpointSlice struct {
	metav1.ObjectMeta `json:"metadata"`
	AddressType       string         `json:"addressType"`
	Endpoints         []Endpoint     `json:"endpoints"`
	Ports             []EndpointPort `json:"ports"`
}
