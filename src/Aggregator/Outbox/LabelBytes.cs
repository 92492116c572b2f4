using ActorProfiler.Labels;
using ActorProfiler.Protocol;
using Google.Protobuf;

namespace ActorProfiler.Aggregator.Outbox;

/// <summary>A label set as bytes: a <see cref="Submit"/> with nothing but labels.</summary>
internal static class LabelBytes
{
    public static byte[] Write(LabelSet labels)
    {
        var message = new Submit();
        message.Labels.AddRange(labels.Select(pair => new Label { Name = pair.Name, Value = pair.Value }));
        return message.ToByteArray();
    }

    public static LabelSet Read(byte[] bytes) =>
        LabelSet.From(Submit.Parser.ParseFrom(bytes).Labels.Select(label => new LabelPair(label.Name, label.Value)));
}
