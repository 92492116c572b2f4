// Package v1 has what owns pods.
package v1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

type Job struct {
	metav1.ObjectMeta `json:"metadata"`
}
