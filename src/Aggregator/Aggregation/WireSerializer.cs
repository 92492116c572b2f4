using System.Runtime.Serialization;
using ActorProfiler.Protocol;
using Akka.Actor;
using Akka.Serialization;
using Google.Protobuf;
using Google.Protobuf.Collections;

namespace ActorProfiler.Aggregator.Aggregation;

/// <summary>The messages that aggregators send each other, and no others.</summary>
internal sealed class WireSerializer(ExtendedActorSystem system) : SerializerWithStringManifest(system)
{
    private const string SubmitManifest = "S";
    private const string StoredManifest = "A";
    private const string RefusedManifest = "R";
    private const string WhoHoldsManifest = "W";
    private const string HoldsManifest = "H";
    private const string SeenManifest = "C";
    private const string HeldManifest = "D";

    public override int Identifier => 5120;

    public override string Manifest(object o) => o switch
    {
        Submit => SubmitManifest,
        Stored => StoredManifest,
        Refused => RefusedManifest,
        WhoHolds => WhoHoldsManifest,
        Holds => HoldsManifest,
        CollectorSeen => SeenManifest,
        CollectorHeld => HeldManifest,
        _ => throw new ArgumentException($"{o.GetType()} does not travel between aggregators", nameof(o)),
    };

    public override byte[] ToBinary(object obj) => ((IMessage)obj).ToByteArray();

    /// <summary>Batches one question may name.</summary>
    public const int NameLimit = 1000;

    /// <exception cref="SerializationException">An unknown manifest, or a message that no aggregator would have sent.</exception>
    public override object FromBinary(byte[] bytes, string manifest) => manifest switch
    {
        SubmitManifest => Checked(Submit.Parser.ParseFrom(bytes)),
        StoredManifest => Stored.Parser.ParseFrom(bytes),
        RefusedManifest => Refused.Parser.ParseFrom(bytes),
        WhoHoldsManifest => WhoHolds.Parser.ParseFrom(bytes) is var who && AreNames(who.Batches) ? who : throw WrongNames(),
        HoldsManifest => Holds.Parser.ParseFrom(bytes) is var holds && AreNames(holds.Held) && AreNames(holds.NotHeld) ? holds : throw WrongNames(),
        SeenManifest => CollectorSeen.Parser.ParseFrom(bytes),
        HeldManifest => CollectorHeld.Parser.ParseFrom(bytes),
        _ => throw new SerializationException($"manifest '{manifest}' is not one of this program's"),
    };

    private static Submit Checked(Submit submit) =>
        SubmitCheck.Find(submit, submit.CollectorId.Span) is { } wrong ? throw new SerializationException($"a batch from another aggregator: {wrong}") : submit;

    private static bool AreNames(RepeatedField<BatchName> names) =>
        names.Count <= NameLimit && names.All(name => name.CollectorId.Length == BatchId.CollectorBytes);

    private static SerializationException WrongNames() => new($"another aggregator names more than {NameLimit} batches, or one whose collector id has not {BatchId.CollectorBytes} bytes");
}
