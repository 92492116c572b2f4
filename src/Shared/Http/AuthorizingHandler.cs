using System.Net.Http.Headers;
using System.Text;

namespace ActorProfiler.Http;

/// <summary>Puts the credentials and headers of the configuration on each request.</summary>
/// <param name="tokens">Null unless OAuth 2 is used; owned.</param>
internal sealed class AuthorizingHandler(HttpClientOptions options, OAuth2Tokens? tokens, HttpMessageHandler inner) : DelegatingHandler(inner)
{
    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        if (await AuthorizationAsync(cancellationToken).ConfigureAwait(false) is { } authorization)
        {
            request.Headers.Authorization = authorization;
        }

        foreach (var (name, values) in options.HttpHeaders)
        {
            request.Headers.TryAddWithoutValidation(name, values.Select(value => value.Reveal()));
        }

        return await base.SendAsync(request, cancellationToken).ConfigureAwait(false);
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            tokens?.Dispose();
        }

        base.Dispose(disposing);
    }

    private async Task<AuthenticationHeaderValue?> AuthorizationAsync(CancellationToken cancellation)
    {
        if (options.BasicAuth is { } basic)
        {
            var password = await SecretFile.ReadAsync(basic.Password, basic.PasswordFile, cancellation).ConfigureAwait(false);
            return new AuthenticationHeaderValue("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"{basic.Username}:{password}")));
        }

        if (options.Authorization is { } other)
        {
            return new AuthenticationHeaderValue(other.Type.Trim(), await SecretFile.ReadAsync(other.Credentials, other.CredentialsFile, cancellation).ConfigureAwait(false));
        }

        if (tokens is not null)
        {
            return new AuthenticationHeaderValue("Bearer", await tokens.GetAsync(cancellation).ConfigureAwait(false));
        }

        var token = await SecretFile.ReadAsync(options.BearerToken, options.BearerTokenFile, cancellation).ConfigureAwait(false);
        return token.Length > 0 ? new AuthenticationHeaderValue("Bearer", token) : null;
    }
}
