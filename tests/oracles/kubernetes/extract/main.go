// Command extract takes the functions that make targets of objects out of Prometheus' Kubernetes discovery, without its informers.
// Usage: extract SOURCE TARGET, both folders.
package main

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/printer"
	"go/token"
	"log"
	"os"
	"path/filepath"
	"strings"
)

var wanted = map[string]bool{
	"lv": true, "namespacedName": true, "addObjectAnnotationsAndLabels": true, "addObjectMetaLabels": true, "addNamespaceMetaLabels": true,
	"GetControllerOf": true, "podLabels": true, "podReady": true, "findPodContainerStatus": true, "findPodContainerID": true, "buildPod": true,
	"podSource": true, "podSourceFromNamespaceAndName": true,
	"buildEndpoints": true, "endpointsSource": true, "endpointsSourceFromNamespaceAndName": true, "resolvePodRef": true, "addServiceLabels": true,
	"addNodeLabels": true, "addNamespaceLabels": true,
	"buildEndpointSlice": true, "endpointSliceSource": true, "endpointSliceSourceFromNamespaceAndName": true, "nonPrimaryIPFamilySlice": true,
	"buildNode": true, "nodeLabels": true, "nodeAddress": true, "nodeSource": true, "nodeSourceFromName": true,
	"buildService": true, "serviceLabels": true, "serviceSource": true, "serviceSourceFromNamespaceAndName": true, "loadBalancerIPs": true,
	"buildIngress": true, "ingressLabels": true, "ingressSource": true, "ingressSourceFromNamespaceAndName": true, "pathsFromIngressPaths": true,
	"rulePaths": true, "tlsHosts": true, "matchesHostnamePattern": true,
}

var types = map[string]bool{"Role": true}

func main() {
	for _, name := range []string{"kubernetes", "pod", "endpoints", "endpointslice", "node", "service", "ingress"} {
		files := token.NewFileSet()
		file, err := parser.ParseFile(files, filepath.Join(os.Args[1], name+".go"), nil, 0)
		if err != nil {
			log.Fatal(err)
		}
		var kept []ast.Decl
		for _, declaration := range file.Decls {
			if keep(declaration) {
				kept = append(kept, declaration)
			}
		}
		var body bytes.Buffer
		for _, declaration := range kept {
			if err := printer.Fprint(&body, files, declaration); err != nil {
				log.Fatal(err)
			}
			body.WriteString("\n\n")
		}
		text := "package main\n\n"
		for _, used := range file.Imports {
			path := strings.Trim(used.Path.Value, `"`)
			alias := filepath.Base(path)
			if used.Name != nil {
				alias = used.Name.Name
			}
			if strings.Contains(body.String(), alias+".") {
				text += "import " + alias + ` "` + path + "\"\n"
			}
		}
		if err := os.WriteFile(filepath.Join(os.Args[2], "extracted_"+name+".go"), []byte(text+"\n"+body.String()), 0o644); err != nil {
			log.Fatal(err)
		}
	}
}

// Functions by name, and those constants and types that they use.
func keep(declaration ast.Decl) bool {
	switch d := declaration.(type) {
	case *ast.FuncDecl:
		return wanted[d.Name.Name]
	case *ast.GenDecl:
		if d.Tok == token.TYPE {
			return types[d.Specs[0].(*ast.TypeSpec).Name.Name]
		}
		if d.Tok != token.CONST {
			return false
		}
		for _, spec := range d.Specs {
			for _, name := range spec.(*ast.ValueSpec).Names {
				if strings.HasSuffix(name.Name, "Index") {
					return false
				}
			}
		}
		return true
	}
	return false
}
