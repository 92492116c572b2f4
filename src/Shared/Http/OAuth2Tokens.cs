using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;

namespace ActorProfiler.Http;

/// <summary>Fetches tokens by client credentials and keeps each until shortly before it expires.</summary>
/// <remarks>https://www.rfc-editor.org/rfc/rfc6749#section-4.4. Thread-safe.</remarks>
internal sealed class OAuth2Tokens(OAuth2Options options, TimeSpan connectTimeout, TimeProvider clock) : IDisposable
{
    private const int BodyLimit = 64 << 10;

    private static readonly TimeSpan _margin = TimeSpan.FromSeconds(10);

    private readonly HttpClient _http = HttpClients.Create(options.Http, connectTimeout, clock);
    private readonly SemaphoreSlim _fetching = new(1, 1);
    private volatile Token? _token;

    private sealed record Token(string Text, DateTimeOffset Expires);

    /// <exception cref="HttpRequestException">The server gave none.</exception>
    public async Task<string> GetAsync(CancellationToken cancellation)
    {
        if (_token is { } known && known.Expires > clock.GetUtcNow())
        {
            return known.Text;
        }

        await _fetching.WaitAsync(cancellation).ConfigureAwait(false);
        try
        {
            if (_token is not { } fresh || fresh.Expires <= clock.GetUtcNow())
            {
                _token = fresh = await FetchAsync(cancellation).ConfigureAwait(false);
            }

            return fresh.Text;
        }
        finally
        {
            _fetching.Release();
        }
    }

    public void Dispose()
    {
        _http.Dispose();
        _fetching.Dispose();
    }

    private async Task<Token> FetchAsync(CancellationToken cancellation)
    {
        var secret = await SecretFile.ReadAsync(options.ClientSecret, options.ClientSecretFile, cancellation).ConfigureAwait(false);
        var fields = new Dictionary<string, string>(options.EndpointParams) { ["grant_type"] = "client_credentials" };
        if (options.Scopes.Length > 0)
        {
            fields["scope"] = string.Join(' ', options.Scopes);
        }

        using var request = new HttpRequestMessage(HttpMethod.Post, options.TokenUrl) { Content = new FormUrlEncodedContent(fields) };
        var login = $"{Uri.EscapeDataString(options.ClientId)}:{Uri.EscapeDataString(secret)}";
        request.Headers.Authorization = new AuthenticationHeaderValue("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes(login)));
        using var response = await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellation).ConfigureAwait(false);
        if (!response.IsSuccessStatusCode)
        {
            throw new HttpRequestException($"oauth2: the token's server answered {(int)response.StatusCode}", null, response.StatusCode);
        }

        await response.Content.LoadIntoBufferAsync(BodyLimit, cancellation).ConfigureAwait(false);
        return Read(await response.Content.ReadAsStringAsync(cancellation).ConfigureAwait(false));
    }

    private Token Read(string body)
    {
        try
        {
            using var json = JsonDocument.Parse(body);
            var seconds = json.RootElement.TryGetProperty("expires_in", out var expires) && expires.TryGetDouble(out var read) ? Math.Clamp(read, 0, 86_400) : 3600;
            return new Token(json.RootElement.GetProperty("access_token").GetString() ?? "", clock.GetUtcNow() + TimeSpan.FromSeconds(seconds) - _margin);
        }
        catch (Exception cause) when (cause is JsonException or KeyNotFoundException or InvalidOperationException)
        {
            throw new HttpRequestException("oauth2: the token's server answered without an access_token", cause);
        }
    }
}
