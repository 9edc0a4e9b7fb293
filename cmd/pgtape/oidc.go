package main

import (
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"

	"github.com/spf13/pflag"

	"github.com/pgtape/pgtape/server"
)

// secretEnv has the client's secret. There is no flag for it: a command line is for all to see.
const secretEnv = "PGTAPE_OIDC_CLIENT_SECRET"

// oidcFlags are the provider that signs people in.
type oidcFlags struct {
	server.Provider
	secretFile string
}

func (f *oidcFlags) add(flags *pflag.FlagSet) {
	flags.StringVar(&f.Issuer, "oidc-issuer", "", "URL of an OpenID Connect provider that signs people in")
	flags.StringVar(&f.ClientID, "oidc-client-id", "", "what the provider knows this server by; the secret is in "+secretEnv)
	flags.StringVar(&f.secretFile, "oidc-client-secret-file", "", "or in this file")
	flags.StringVar(&f.Name, "oidc-name", "", "what people know the provider by (default: its host)")
}

func (f *oidcFlags) check() error {
	if f.Issuer == "" {
		return nil
	}
	if u, err := url.Parse(f.Issuer); err != nil || u.Host == "" || u.User != nil || u.Scheme != "https" && u.Scheme != "http" {
		return errors.New("--oidc-issuer: want a URL such as https://accounts.example.com, without a login")
	}
	if f.ClientID == "" {
		return errors.New("--oidc-client-id is missing")
	}
	f.ClientSecret = os.Getenv(secretEnv)
	if f.secretFile != "" {
		text, err := os.ReadFile(f.secretFile)
		if err != nil {
			return fmt.Errorf("--oidc-client-secret-file: %w", err)
		}
		f.ClientSecret = strings.TrimSpace(string(text))
	}
	return nil
}
