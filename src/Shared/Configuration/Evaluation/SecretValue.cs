using System.Security.Cryptography;
using System.Text;

namespace ActorProfiler.Configuration.Evaluation;

/// <summary>A text that must not be shown. Nothing prints it, and it only equals another secret.</summary>
/// <remarks>It becomes text again only through <see cref="Reveal"/>, which is for the one who sends it where it belongs.</remarks>
public sealed record SecretValue : Value
{
    private readonly string _text;

    public SecretValue(string text) => _text = text;

    public override string TypeName => "secret";

    public override bool IsEmpty => _text.Length == 0;

    /// <summary>The text itself.</summary>
    public string Reveal() => _text;

    public bool Equals(SecretValue? other) =>
        other is not null && CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(_text), Encoding.UTF8.GetBytes(other._text));

    public override int GetHashCode() => 0;

    public override string ToString() => "(secret)";
}
