using ActorProfiler.Configuration.Decoding;

namespace ActorProfiler.Http;

/// <summary>The arguments that all components which talk HTTP have in common.</summary>
public static class HttpClientSchema
{
    private static readonly BlockSchema<BasicAuthOptions> _basicAuth = new BlockSchema<BasicAuthOptions>(() => new())
        .Optional("username", ArgumentTypes.Text, auth => auth.Username, (auth, value) => auth with { Username = value }, "User name; for Grafana Cloud the number of the stack.")
        .Optional("password", ArgumentTypes.Secret, auth => auth.Password, (auth, value) => auth with { Password = value }, "Password or token.")
        .Optional("password_file", ArgumentTypes.Text, auth => auth.PasswordFile, (auth, value) => auth with { PasswordFile = value }, "File with the password, read again for each request.")
        .Check(auth => HttpClientOptions.Refuse(auth.Password is not null && auth.PasswordFile.Length > 0, "at most one of basic_auth password & password_file must be configured"));

    private static readonly BlockSchema<AuthorizationOptions> _authorization = new BlockSchema<AuthorizationOptions>(() => new())
        .Optional("type", ArgumentTypes.Text, auth => auth.Type, (auth, value) => auth with { Type = value }, "First word of the Authorization header.")
        .Optional("credentials", ArgumentTypes.Secret, auth => auth.Credentials, (auth, value) => auth with { Credentials = value }, "What follows it.")
        .Optional("credentials_file", ArgumentTypes.Text, auth => auth.CredentialsFile, (auth, value) => auth with { CredentialsFile = value }, "File with the credentials, read again for each request.")
        .Check(auth => HttpClientOptions.Refuse(auth.Credentials is not null && auth.CredentialsFile.Length > 0, "at most one of authorization credentials & credentials_file must be configured"))
        .Check(auth => HttpClientOptions.Refuse(auth.Type.Trim().Equals("basic", StringComparison.OrdinalIgnoreCase), "authorization type cannot be set to \"basic\", use \"basic_auth\" block instead"));

    /// <summary>The <c>tls_config</c> block.</summary>
    public static readonly BlockSchema<TlsOptions> Tls = new BlockSchema<TlsOptions>(() => new())
        .Optional("ca_pem", ArgumentTypes.Text, tls => tls.CaPem, (tls, value) => tls with { CaPem = value }, "Certificates, as PEM, that the server's must descend from.")
        .Optional("ca_file", ArgumentTypes.Text, tls => tls.CaFile, (tls, value) => tls with { CaFile = value }, "File with them.")
        .Optional("cert_pem", ArgumentTypes.Text, tls => tls.CertPem, (tls, value) => tls with { CertPem = value }, "Our own certificate, as PEM.")
        .Optional("cert_file", ArgumentTypes.Text, tls => tls.CertFile, (tls, value) => tls with { CertFile = value }, "File with it.")
        .Optional("key_pem", ArgumentTypes.Secret, tls => tls.KeyPem, (tls, value) => tls with { KeyPem = value }, "Its key, as PEM.")
        .Optional("key_file", ArgumentTypes.Text, tls => tls.KeyFile, (tls, value) => tls with { KeyFile = value }, "File with the key.")
        .Optional("server_name", ArgumentTypes.Text, tls => tls.ServerName, (tls, value) => tls with { ServerName = value }, "Name the server's certificate must have, where it is not the URL's.")
        .Optional("insecure_skip_verify", ArgumentTypes.Bool, tls => tls.InsecureSkipVerify, (tls, value) => tls with { InsecureSkipVerify = value }, "Takes any certificate.")
        .Optional("min_version", ArgumentTypes.Parsed("string", TlsVersion, text => text), tls => tls.MinVersion, (tls, value) => tls with { MinVersion = value }, "`TLS10`, `TLS11`, `TLS12` or `TLS13`; by default the system decides.")
        .Check(tls => HttpClientOptions.Refuse(tls.CaPem.Length > 0 && tls.CaFile.Length > 0, "at most one of ca_pem and ca_file must be configured"))
        .Check(tls => HttpClientOptions.Refuse(tls.CertPem.Length > 0 && tls.CertFile.Length > 0, "at most one of cert_pem and cert_file must be configured"))
        .Check(tls => HttpClientOptions.Refuse(tls.KeyPem is not null && tls.KeyFile.Length > 0, "at most one of key_pem and key_file must be configured"))
        .Check(tls => HttpClientOptions.Refuse(HasCertificate(tls) && !HasKey(tls), "exactly one of key_pem or key_file must be configured when a client certificate is configured"))
        .Check(tls => HttpClientOptions.Refuse(HasKey(tls) && !HasCertificate(tls), "exactly one of cert_pem or cert_file must be configured when a client key is configured"));

    private static readonly BlockSchema<OAuth2Options> _oauth2 = Proxy(
        new BlockSchema<OAuth2Options>(() => new())
            .Optional("client_id", ArgumentTypes.Text, auth => auth.ClientId, (auth, value) => auth with { ClientId = value }, "Who we are.")
            .Optional("client_secret", ArgumentTypes.Secret, auth => auth.ClientSecret, (auth, value) => auth with { ClientSecret = value }, "The secret that proves it.")
            .Optional("client_secret_file", ArgumentTypes.Text, auth => auth.ClientSecretFile, (auth, value) => auth with { ClientSecretFile = value }, "File with the secret, read again for each token.")
            .Optional("scopes", ArgumentTypes.List(ArgumentTypes.Text), auth => auth.Scopes, (auth, value) => auth with { Scopes = value }, "Scopes to ask for.")
            .Optional("token_url", ArgumentTypes.Text, auth => auth.TokenUrl, (auth, value) => auth with { TokenUrl = value }, "Where tokens are given.")
            .Optional("endpoint_params", ArgumentTypes.Map(ArgumentTypes.Text), auth => auth.EndpointParams, (auth, value) => auth with { EndpointParams = value }, "More parameters of the request for a token."),
        auth => auth.Http,
        (auth, http) => auth with { Http = http })
        .Block("tls_config", Tls, (auth, tls) => auth with { Http = auth.Http with { Tls = tls } }, "TLS towards the token's server.")
        .Check(auth => HttpClientOptions.Refuse(auth.ClientId.Length == 0, "oauth2 client_id must be configured"))
        .Check(auth => HttpClientOptions.Refuse(auth.ClientSecret is null && auth.ClientSecretFile.Length == 0, "either oauth2 client_secret or client_secret_file must be configured"))
        .Check(auth => HttpClientOptions.Refuse(auth.TokenUrl.Length == 0, "oauth2 token_url must be configured"))
        .Check(auth => HttpClientOptions.Refuse(auth.ClientSecret is not null && auth.ClientSecretFile.Length > 0, "at most one of oauth2 client_secret & client_secret_file must be configured"))
        .Check(auth => auth.Http.Check());

    /// <summary>The schema with all arguments of <see cref="HttpClientOptions"/>.</summary>
    public static BlockSchema<T> AddTo<T>(BlockSchema<T> schema, Func<T, HttpClientOptions> get, Func<T, HttpClientOptions, T> set) =>
        Proxy(schema, get, set)
            .Optional("bearer_token", ArgumentTypes.Secret, options => get(options).BearerToken, (options, value) => set(options, get(options) with { BearerToken = value }), "Token of the Authorization header.")
            .Optional("bearer_token_file", ArgumentTypes.Text, options => get(options).BearerTokenFile, (options, value) => set(options, get(options) with { BearerTokenFile = value }), "File with the token, read again for each request.")
            .Optional("follow_redirects", ArgumentTypes.Bool, options => get(options).FollowRedirects, (options, value) => set(options, get(options) with { FollowRedirects = value }), "Follows redirects within the same host.")
            .Optional("enable_http2", ArgumentTypes.Bool, options => get(options).EnableHttp2, (options, value) => set(options, get(options) with { EnableHttp2 = value }), "Uses HTTP/2 where the server offers it.")
            .Optional("http_headers", ArgumentTypes.Map(ArgumentTypes.List(ArgumentTypes.Secret)), options => get(options).HttpHeaders, (options, value) => set(options, get(options) with { HttpHeaders = value }), "Headers sent with each request.")
            .Block("basic_auth", _basicAuth, (options, auth) => set(options, get(options) with { BasicAuth = auth }), "Name and password.")
            .Block("authorization", _authorization, (options, auth) => set(options, get(options) with { Authorization = auth }), "An Authorization header of another kind.")
            .Block("oauth2", _oauth2, (options, auth) => set(options, get(options) with { OAuth2 = auth }), "Tokens by OAuth 2 client credentials.")
            .Block("tls_config", Tls, (options, tls) => set(options, get(options) with { Tls = tls }), "TLS towards the server.")
            .Check(options => get(options).Check());

    private static BlockSchema<T> Proxy<T>(BlockSchema<T> schema, Func<T, HttpClientOptions> get, Func<T, HttpClientOptions, T> set) => schema
        .Optional("proxy_url", ArgumentTypes.Parsed("string", Url, url => url), options => get(options).ProxyUrl, (options, value) => set(options, get(options) with { ProxyUrl = value }), "Proxy that requests go through.")
        .Optional("no_proxy", ArgumentTypes.Text, options => get(options).NoProxy, (options, value) => set(options, get(options) with { NoProxy = value }), "Hosts, domains and networks that are asked directly, with commas between.")
        .Optional("proxy_from_environment", ArgumentTypes.Bool, options => get(options).ProxyFromEnvironment, (options, value) => set(options, get(options) with { ProxyFromEnvironment = value }), "Takes the proxy from HTTP_PROXY, HTTPS_PROXY and NO_PROXY.")
        .Optional("proxy_connect_header", ArgumentTypes.Map(ArgumentTypes.List(ArgumentTypes.Secret)), options => get(options).ProxyConnectHeader, (options, value) => set(options, get(options) with { ProxyConnectHeader = value }), "Headers of the CONNECT by which the proxy is asked for a tunnel to a server with TLS.");

    /// <summary>An absolute http or https URL.</summary>
    /// <exception cref="FormatException">It is none.</exception>
    public static string Url(string text) => Uri.TryCreate(text, UriKind.Absolute, out var url) && url.Scheme is "http" or "https" && url.Host.Length > 0
        ? text
        : throw new FormatException(text.Length == 0 ? "it is empty; write a URL such as \"http://host:4040\"" : "it is no URL such as \"http://host:4040\"");

    private static string TlsVersion(string text) => text is "TLS10" or "TLS11" or "TLS12" or "TLS13" ? text : throw new FormatException($"unknown TLS version: {text}");

    private static bool HasCertificate(TlsOptions tls) => tls.CertPem.Length > 0 || tls.CertFile.Length > 0;

    private static bool HasKey(TlsOptions tls) => tls.KeyPem is not null || tls.KeyFile.Length > 0;
}
