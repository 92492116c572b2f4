// Package v1 has the fields of core objects that target labels are made of.
package v1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

const (
	PodReady                       = "Ready"
	ConditionUnknown               = "Unknown"
	EndpointsOverCapacity          = "endpoints.kubernetes.io/over-capacity"
	ServiceTypeExternalName        = ServiceType("ExternalName")
	ServiceTypeLoadBalancer        = ServiceType("LoadBalancer")
	IPFamilyPolicyPreferDualStack  = IPFamilyPolicy("PreferDualStack")
	IPFamilyPolicyRequireDualStack = IPFamilyPolicy("RequireDualStack")
	NodeInternalIP                 = NodeAddressType("InternalIP")
	NodeInternalDNS                = NodeAddressType("InternalDNS")
	NodeExternalIP                 = NodeAddressType("ExternalIP")
	NodeExternalDNS                = NodeAddressType("ExternalDNS")
	NodeHostName                   = NodeAddressType("Hostname")
)

type (
	ServiceType     string
	IPFamilyPolicy  string
	IPFamily        string
	NodeAddressType string
	Protocol        string
)

type Condition struct {
	Type   string `json:"type"`
	Status string `json:"status"`
}

type Namespace struct {
	metav1.ObjectMeta `json:"metadata"`
}

type ContainerPort struct {
	Name          string   `json:"name"`
	ContainerPort int32    `json:"containerPort"`
	Protocol      Protocol `json:"protocol"`
}

type Container struct {
	Name  string          `json:"name"`
	Image string          `json:"image"`
	Ports []ContainerPort `json:"ports"`
}

type ContainerStatus struct {
	Name        string `json:"name"`
	ContainerID string `json:"containerID"`
}

type Pod struct {
	metav1.ObjectMeta `json:"metadata"`
	Spec              struct {
		NodeName       string      `json:"nodeName"`
		Containers     []Container `json:"containers"`
		InitContainers []Container `json:"initContainers"`
	} `json:"spec"`
	Status struct {
		Phase                 string            `json:"phase"`
		PodIP                 string            `json:"podIP"`
		HostIP                string            `json:"hostIP"`
		Conditions            []Condition       `json:"conditions"`
		ContainerStatuses     []ContainerStatus `json:"containerStatuses"`
		InitContainerStatuses []ContainerStatus `json:"initContainerStatuses"`
	} `json:"status"`
}

type Node struct {
	metav1.ObjectMeta `json:"metadata"`
	Spec              struct {
		ProviderID string `json:"providerID"`
	} `json:"spec"`
	Status struct {
		Addresses []struct {
			Type    NodeAddressType `json:"type"`
			Address string          `json:"address"`
		} `json:"addresses"`
		DaemonEndpoints struct {
			KubeletEndpoint struct {
				Port int32
			} `json:"kubeletEndpoint"`
		} `json:"daemonEndpoints"`
		Conditions []Condition `json:"conditions"`
	} `json:"status"`
}

type Service struct {
	metav1.ObjectMeta `json:"metadata"`
	Spec              struct {
		Ports []struct {
			Name     string   `json:"name"`
			Port     int32    `json:"port"`
			Protocol Protocol `json:"protocol"`
		} `json:"ports"`
		Type           ServiceType     `json:"type"`
		ClusterIP      string          `json:"clusterIP"`
		ExternalName   string          `json:"externalName"`
		LoadBalancerIP string          `json:"loadBalancerIP"`
		IPFamilyPolicy *IPFamilyPolicy `json:"ipFamilyPolicy"`
		IPFamilies     []IPFamily      `json:"ipFamilies"`
	} `json:"spec"`
	Status struct {
		LoadBalancer struct {
			Ingress []struct {
				IP string `json:"ip"`
			} `json:"ingress"`
		} `json:"loadBalancer"`
	} `json:"status"`
}

type ObjectReference struct {
	Kind      string `json:"kind"`
	Name      string `json:"name"`
	Namespace string `json:"namespace"`
}

type EndpointAddress struct {
	IP        string           `json:"ip"`
	Hostname  string           `json:"hostname"`
	NodeName  *string          `json:"nodeName"`
	TargetRef *ObjectReference `json:"targetRef"`
}

type EndpointPort struct {
	Name     string   `json:"name"`
	Port     int32    `json:"port"`
	Protocol Protocol `json:"protocol"`
}

type Endpoints struct {
	metav1.ObjectMeta `json:"metadata"`
	Subsets           []struct {
		Addresses         []EndpointAddress `json:"addresses"`
		NotReadyAddresses []EndpointAddress `json:"notReadyAddresses"`
		Ports             []EndpointPort    `json:"ports"`
	} `json:"subsets"`
}
