using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace ActorProfiler.Security;

/// <summary>Makes the certificates of a fleet: an authority, and one pair for aggregators and one for collectors.</summary>
public sealed class FleetAuthority : IDisposable
{
    private static readonly TimeSpan _backdating = TimeSpan.FromHours(1);

    private readonly ECDsa _key;
    private readonly X509Certificate2 _certificate;
    private readonly DateTimeOffset _from;
    private readonly DateTimeOffset _until;

    /// <param name="validFor">Of the authority and all it makes.</param>
    public FleetAuthority(TimeProvider clock, TimeSpan validFor)
    {
        _key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        _from = clock.GetUtcNow() - _backdating;
        _until = clock.GetUtcNow() + validFor;
        var request = new CertificateRequest("CN=ActorProfiler fleet", _key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: true, hasPathLengthConstraint: true, pathLengthConstraint: 0, critical: true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, critical: true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, critical: false));
        _certificate = request.CreateSelfSigned(_from, _until);
    }

    private FleetAuthority(X509Certificate2 certificate, ECDsa key, DateTimeOffset from, DateTimeOffset until) =>
        (_certificate, _key, _from, _until) = (certificate, key, from, until);

    /// <summary>An authority that was made before.</summary>
    /// <param name="validFor">Of what it makes, which never outlives the authority.</param>
    /// <exception cref="CryptographicException">The texts are no certificate with its key.</exception>
    public static FleetAuthority Open(string certificatePem, string keyPem, TimeProvider clock, TimeSpan validFor)
    {
        var key = ECDsa.Create();
        key.ImportFromPem(keyPem);
        using var plain = X509Certificate2.CreateFromPem(certificatePem);
        var (from, until) = (clock.GetUtcNow() - _backdating, clock.GetUtcNow() + validFor);
        return new FleetAuthority(
            plain.CopyWithPrivateKey(key), key, from < plain.NotBefore ? plain.NotBefore : from, until > plain.NotAfter ? plain.NotAfter : until);
    }

    public string CertificatePem => _certificate.ExportCertificatePem();

    public string KeyPem => _key.ExportPkcs8PrivateKeyPem();

    /// <summary>A certificate and its key.</summary>
    /// <param name="name">Common name.</param>
    /// <param name="hosts">Names and addresses others reach it by; none for a collector, which nobody connects to.</param>
    public (string CertificatePem, string KeyPem) Issue(string name, IReadOnlyList<string> hosts)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest(new X500DistinguishedName($"CN={name}"), key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(false, false, 0, critical: true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, critical: true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension(hosts.Count > 0 ? [KeyUses.Server, KeyUses.Client] : [KeyUses.Client], critical: false));
        request.CertificateExtensions.Add(X509AuthorityKeyIdentifierExtension.CreateFromCertificate(_certificate, includeKeyIdentifier: true, includeIssuerAndSerial: false));
        if (hosts.Count > 0)
        {
            request.CertificateExtensions.Add(Names(hosts));
        }

        using var certificate = request.Create(_certificate, _from, _until, RandomNumberGenerator.GetBytes(16));
        return (certificate.ExportCertificatePem(), key.ExportPkcs8PrivateKeyPem());
    }

    public void Dispose()
    {
        _certificate.Dispose();
        _key.Dispose();
    }

    private static X509Extension Names(IReadOnlyList<string> hosts)
    {
        var names = new SubjectAlternativeNameBuilder();
        foreach (var host in hosts)
        {
            if (IPAddress.TryParse(host, out var address))
            {
                names.AddIpAddress(address);
            }
            else
            {
                names.AddDnsName(host);
            }
        }

        return names.Build();
    }
}
