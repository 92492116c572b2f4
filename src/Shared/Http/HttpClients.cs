using System.Net;
using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;

namespace ActorProfiler.Http;

/// <summary>Makes HTTP clients of <see cref="HttpClientOptions"/>.</summary>
public static class HttpClients
{
    /// <param name="connectTimeout">Of one connection; the caller bounds the request.</param>
    public static HttpClient Create(HttpClientOptions options, TimeSpan connectTimeout, TimeProvider clock) =>
        new(Handler(options, connectTimeout, clock))
        {
            Timeout = Timeout.InfiniteTimeSpan,
            DefaultRequestVersion = HttpVersion.Version11,
            DefaultVersionPolicy = options.EnableHttp2 ? HttpVersionPolicy.RequestVersionOrHigher : HttpVersionPolicy.RequestVersionExact,
        };

    /// <summary>The handler alone, for clients of other libraries.</summary>
    public static HttpMessageHandler Handler(HttpClientOptions options, TimeSpan connectTimeout, TimeProvider clock)
    {
        HttpMessageHandler inner = Sockets(options, connectTimeout);
        inner = options.FollowRedirects ? new RedirectingHandler(inner) : inner;
        var tokens = options.OAuth2 is { } oauth2 ? new OAuth2Tokens(oauth2, connectTimeout, clock) : null;
        return new AuthorizingHandler(options, tokens, inner);
    }

    private static SocketsHttpHandler Sockets(HttpClientOptions options, TimeSpan connectTimeout)
    {
        var handler = new SocketsHttpHandler
        {
            // Redirects and cookies would carry secret headers elsewhere; an answer must not grow by decompression.
            AllowAutoRedirect = false,
            UseCookies = false,
            AutomaticDecompression = DecompressionMethods.None,
            PooledConnectionLifetime = TimeSpan.FromMinutes(5),
            ConnectTimeout = connectTimeout,
            MaxResponseHeadersLength = 64,
            UseProxy = options.ProxyUrl.Length > 0 || options.ProxyFromEnvironment,
            SslOptions = Ssl(options.Tls),
        };
        if (options.ProxyUrl.Length > 0)
        {
            handler.Proxy = new ListedProxy(new Uri(options.ProxyUrl), options.NoProxy);
        }

        if (!options.ProxyConnectHeader.IsEmpty)
        {
            var tunnel = new ProxyTunnel(handler.Proxy ?? HttpClient.DefaultProxy, options.ProxyConnectHeader, () => Ssl(options.Tls));
            handler.Proxy = tunnel;
            handler.ConnectCallback = tunnel.ConnectAsync;
        }

        return handler;
    }

    private static SslClientAuthenticationOptions Ssl(TlsOptions? tls)
    {
        var ssl = new SslClientAuthenticationOptions();
        if (tls is null)
        {
            return ssl;
        }

        ssl.EnabledSslProtocols = Protocols(tls.MinVersion);
        if (tls.ServerName.Length > 0)
        {
            ssl.TargetHost = tls.ServerName;
        }

        if (tls.InsecureSkipVerify)
        {
#pragma warning disable CA5359 // the user asked for it by insecure_skip_verify
            ssl.RemoteCertificateValidationCallback = (_, _, _, _) => true;
#pragma warning restore CA5359
        }
        else if (tls.CaPem.Length > 0 || tls.CaFile.Length > 0)
        {
            ssl.RemoteCertificateValidationCallback = (_, certificate, chain, errors) => Descends(tls, certificate, chain, errors);
        }

        if (tls.CertPem.Length > 0 || tls.CertFile.Length > 0)
        {
            ssl.LocalCertificateSelectionCallback = (_, _, _, _, _) => OwnCertificate(tls);
        }

        return ssl;
    }

    private static SslProtocols Protocols(string least) => least switch
    {
#pragma warning disable SYSLIB0039, CA5397 // only when the user names them
        "TLS10" => SslProtocols.Tls | SslProtocols.Tls11 | SslProtocols.Tls12 | SslProtocols.Tls13,
        "TLS11" => SslProtocols.Tls11 | SslProtocols.Tls12 | SslProtocols.Tls13,
#pragma warning restore SYSLIB0039, CA5397
        "TLS12" => SslProtocols.Tls12 | SslProtocols.Tls13,
        "TLS13" => SslProtocols.Tls13,
        _ => SslProtocols.None,
    };

    private static bool Descends(TlsOptions tls, X509Certificate? certificate, X509Chain? chain, SslPolicyErrors errors)
    {
        if (certificate is null || chain is null || (errors & ~SslPolicyErrors.RemoteCertificateChainErrors) != 0)
        {
            return false;
        }

        var roots = new X509Certificate2Collection();
        roots.ImportFromPem(tls.CaPem.Length > 0 ? tls.CaPem : File.ReadAllText(tls.CaFile));
        using var own = new X509Chain();
        own.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        own.ChainPolicy.CustomTrustStore.AddRange(roots);
        own.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        own.ChainPolicy.ExtraStore.AddRange(chain.ChainElements.Select(element => element.Certificate).ToArray());
        using var server = new X509Certificate2(certificate);
        return own.Build(server);
    }

    private static X509Certificate2 OwnCertificate(TlsOptions tls) => X509Certificate2.CreateFromPem(
        tls.CertPem.Length > 0 ? tls.CertPem : File.ReadAllText(tls.CertFile),
        tls.KeyPem?.Reveal() ?? File.ReadAllText(tls.KeyFile));
}
