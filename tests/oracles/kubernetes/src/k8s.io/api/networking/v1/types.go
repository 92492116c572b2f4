// Package v1 has the fields of ingresses that target labels are made of.
package v1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

type HTTPIngressRuleValue struct {
	Paths []struct {
		Path string `json:"path"`
	} `json:"paths"`
}

type IngressRuleValue struct {
	HTTP *HTTPIngressRuleValue `json:"http"`
}

type IngressRule struct {
	Host             string `json:"host"`
	IngressRuleValue `json:",inline"`
}

type IngressTLS struct {
	Hosts []string `json:"hosts"`
}

type Ingress struct {
	metav1.ObjectMeta `json:"metadata"`
	Spec              struct {
		IngressClassName *string       `json:"ingressClassName"`
		TLS              []IngressTLS  `json:"tls"`
		Rules            []IngressRule `json:"rules"`
	} `json:"spec"`
}
