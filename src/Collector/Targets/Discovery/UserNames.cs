using System.Globalization;

namespace ActorProfiler.Collector.Targets.Discovery;

/// <summary>Names of the host's users by id, as <c>/etc/passwd</c> has them.</summary>
internal sealed class UserNames(IReadOnlyDictionary<uint, string> byId)
{
    public static UserNames Read()
    {
        var names = new Dictionary<uint, string>();
        foreach (var line in File.Exists("/etc/passwd") ? File.ReadLines("/etc/passwd") : [])
        {
            if (line.Split(':') is [var name, _, var id, ..] && uint.TryParse(id, NumberStyles.None, CultureInfo.InvariantCulture, out var number))
            {
                names.TryAdd(number, name);
            }
        }

        return new UserNames(names);
    }

    /// <summary>Null for a user of a container or a directory service.</summary>
    public string? Find(uint id) => byId.GetValueOrDefault(id);
}
