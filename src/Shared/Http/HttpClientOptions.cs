using System.Buffers;
using System.Collections.Immutable;
using ActorProfiler.Configuration.Evaluation;

namespace ActorProfiler.Http;

/// <summary>How a component talks to an HTTP server: the arguments that all such components share, with their names and defaults.</summary>
/// <remarks>Every <c>…File</c> is read again when it is needed, so that what is in it can be exchanged.</remarks>
public sealed record HttpClientOptions
{
    /// <summary>https://www.rfc-editor.org/rfc/rfc9110#section-5.6.2</summary>
    private static readonly SearchValues<char> _token =
        SearchValues.Create("!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz");

    public BasicAuthOptions? BasicAuth { get; init; }

    public AuthorizationOptions? Authorization { get; init; }

    public SecretValue? BearerToken { get; init; }

    public string BearerTokenFile { get; init; } = "";

    public OAuth2Options? OAuth2 { get; init; }

    public TlsOptions? Tls { get; init; }

    public string ProxyUrl { get; init; } = "";

    public string NoProxy { get; init; } = "";

    public bool ProxyFromEnvironment { get; init; }

    /// <summary>Sent with the CONNECT to the proxy.</summary>
    public ImmutableSortedDictionary<string, ImmutableArray<SecretValue>> ProxyConnectHeader { get; init; } = ImmutableSortedDictionary<string, ImmutableArray<SecretValue>>.Empty;

    /// <summary>Only within the host of the URL: credentials never go elsewhere.</summary>
    public bool FollowRedirects { get; init; } = true;

    public bool EnableHttp2 { get; init; } = true;

    /// <summary>Sent with every request.</summary>
    public ImmutableSortedDictionary<string, ImmutableArray<SecretValue>> HttpHeaders { get; init; } = ImmutableSortedDictionary<string, ImmutableArray<SecretValue>>.Empty;

    /// <exception cref="FormatException">The arguments do not fit each other.</exception>
    public void Check()
    {
        var ways = new[] { BasicAuth is not null, Authorization is not null, OAuth2 is not null, BearerToken is not null, BearerTokenFile.Length > 0 };
        Refuse(ways.Count(used => used) > 1, "at most one of basic_auth, authorization, oauth2, bearer_token & bearer_token_file must be configured");
        Refuse(ProxyFromEnvironment && ProxyUrl.Length > 0, "if proxy_from_environment is configured, proxy_url must not be configured");
        Refuse(ProxyFromEnvironment && NoProxy.Length > 0, "if proxy_from_environment is configured, no_proxy must not be configured");
        Refuse(!ProxyConnectHeader.IsEmpty && ProxyUrl.Length == 0 && !ProxyFromEnvironment, "if proxy_connect_header is configured, proxy_url or proxy_from_environment must also be configured");
        foreach (var (name, values) in ProxyConnectHeader)
        {
            Refuse(name.Length == 0 || name.AsSpan().ContainsAnyExcept(_token), $"proxy_connect_header \"{name}\" is no name of a header");
            Refuse(values.Any(value => value.Reveal().AsSpan().ContainsAny('\r', '\n', '\0')), $"proxy_connect_header \"{name}\" has a value of several lines");
        }

        Refuse(NoProxy.Length > 0 && ProxyUrl.Length == 0, "if no_proxy is configured, proxy_url must also be configured");
    }

    /// <summary>Every file that must be there, with the argument that names it.</summary>
    public IEnumerable<(string Argument, string Path)> Files()
    {
        var own = new[]
        {
            ("basic_auth password_file", BasicAuth?.PasswordFile), ("authorization credentials_file", Authorization?.CredentialsFile),
            ("bearer_token_file", BearerTokenFile), ("oauth2 client_secret_file", OAuth2?.ClientSecretFile),
        };
        return own.Select(pair => (pair.Item1, Path: pair.Item2 ?? ""))
            .Concat(Tls?.Files("tls_config") ?? []).Concat(OAuth2?.Http.Tls?.Files("oauth2 tls_config") ?? [])
            .Where(pair => pair.Path.Length > 0);
    }

    internal static void Refuse(bool wrong, string problem)
    {
        if (wrong)
        {
            throw new FormatException(problem);
        }
    }
}

public sealed record BasicAuthOptions
{
    public string Username { get; init; } = "";

    public SecretValue? Password { get; init; }

    public string PasswordFile { get; init; } = "";
}

public sealed record AuthorizationOptions
{
    public string Type { get; init; } = "Bearer";

    public SecretValue? Credentials { get; init; }

    public string CredentialsFile { get; init; } = "";
}

/// <summary>Client credentials: https://www.rfc-editor.org/rfc/rfc6749#section-4.4.</summary>
public sealed record OAuth2Options
{
    public string ClientId { get; init; } = "";

    public SecretValue? ClientSecret { get; init; }

    public string ClientSecretFile { get; init; } = "";

    public ImmutableArray<string> Scopes { get; init; } = [];

    public string TokenUrl { get; init; } = "";

    public ImmutableSortedDictionary<string, string> EndpointParams { get; init; } = ImmutableSortedDictionary<string, string>.Empty;

    /// <summary>Proxy and TLS towards the token's server.</summary>
    public HttpClientOptions Http { get; init; } = new();
}

public sealed record TlsOptions
{
    public string CaPem { get; init; } = "";

    public string CaFile { get; init; } = "";

    public string CertPem { get; init; } = "";

    public string CertFile { get; init; } = "";

    public SecretValue? KeyPem { get; init; }

    public string KeyFile { get; init; } = "";

    public string ServerName { get; init; } = "";

    public bool InsecureSkipVerify { get; init; }

    /// <summary>TLS10, TLS11, TLS12 or TLS13; "" leaves it to the system.</summary>
    public string MinVersion { get; init; } = "";

    public IEnumerable<(string Argument, string Path)> Files(string block) =>
        [($"{block} ca_file", CaFile), ($"{block} cert_file", CertFile), ($"{block} key_file", KeyFile)];
}
