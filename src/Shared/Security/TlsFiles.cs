using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace ActorProfiler.Security;

/// <summary>
/// The certificate of this node and the authority of the fleet, from three PEM files. Files that change are taken up at the next handshake;
/// while they cannot be read, the last good ones stay. Thread-safe.
/// </summary>
/// <remarks>Whoever has a certificate of the authority belongs to the fleet: it must be one of its own, as <c>actorprofiler tls init</c> makes it.</remarks>
public sealed class TlsFiles
{
    private readonly Lock _lock = new();
    private readonly string _ca;
    private readonly string _certificate;
    private readonly string _key;
    private readonly Action<string> _onProblem;
    private Loaded _loaded;

    /// <param name="onProblem">Told once when changed files cannot be read.</param>
    /// <exception cref="FormatException">A file is missing or holds no such thing; the message names it.</exception>
    public TlsFiles(string ca, string certificate, string key, Action<string> onProblem)
    {
        (_ca, _certificate, _key, _onProblem) = (ca, certificate, key, onProblem);
        _loaded = Load(Stamp());
    }

    /// <summary>What the certificates of the nodes connected to are issued for; "": the name or address that is connected to.</summary>
    public string ServerName { get; init; } = "";

    /// <summary>The certificate with its key, as it is on disk now.</summary>
    public X509Certificate2 Certificate => Current().Certificate;

    /// <summary>Whether a certificate is of the fleet's authority and may be used so.</summary>
    /// <param name="use">Extended key usage.</param>
    public bool IsOfFleet(X509Certificate2? certificate, Oid use)
    {
        if (certificate is null)
        {
            return false;
        }

        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.AddRange(Current().Authorities);
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        chain.ChainPolicy.ApplicationPolicy.Add(use);
        return chain.Build(certificate);
    }

    /// <summary>For the client's end of a connection to another node, whose name is checked too.</summary>
    public SslClientAuthenticationOptions Client() => new()
    {
        TargetHost = ServerName.Length > 0 ? ServerName : null,
        LocalCertificateSelectionCallback = (_, _, _, _, _) => Certificate,
        RemoteCertificateValidationCallback = (_, certificate, _, errors) =>
            (errors & ~SslPolicyErrors.RemoteCertificateChainErrors) == 0 && IsOfFleet(certificate as X509Certificate2, KeyUses.Server),
    };

    private Loaded Current()
    {
        lock (_lock)
        {
            var stamp = Stamp();
            if (stamp == _loaded.Stamp)
            {
                return _loaded;
            }

            try
            {
                _loaded = Load(stamp);
            }
            catch (FormatException problem)
            {
                _onProblem($"{problem.Message}; the certificates read before are used");
                _loaded = _loaded with { Stamp = stamp };
            }

            return _loaded;
        }
    }

    private (DateTime Ca, DateTime Certificate, DateTime Key) Stamp() =>
        (File.GetLastWriteTimeUtc(_ca), File.GetLastWriteTimeUtc(_certificate), File.GetLastWriteTimeUtc(_key));

    private Loaded Load((DateTime Ca, DateTime Certificate, DateTime Key) stamp)
    {
        var authorities = new X509Certificate2Collection();
        Read(_ca, () => authorities.ImportFromPemFile(_ca));
        X509Certificate2? certificate = null;
        Read($"{_certificate} with {_key}", () => certificate = X509Certificate2.CreateFromPemFile(_certificate, _key));
        return authorities.Count > 0 ? new Loaded(stamp, authorities, certificate!) : throw new FormatException($"read {_ca}: it holds no certificate");
    }

    private static void Read(string what, Action read)
    {
        try
        {
            read();
        }
        catch (Exception cause) when (cause is IOException or UnauthorizedAccessException or CryptographicException)
        {
            throw new FormatException($"read {what}: {cause.Message}", cause);
        }
    }

    private sealed record Loaded(
        (DateTime Ca, DateTime Certificate, DateTime Key) Stamp, X509Certificate2Collection Authorities, X509Certificate2 Certificate);
}
