namespace ActorProfiler.Collector.Unwinding;

/// <summary>All different rules of this host, numbered from 0: tables refer to them by number.</summary>
/// <remarks>Numbers never change. Rule 0 is <see cref="CfaKind.None"/>. Safe to use from several threads.</remarks>
internal sealed class UnwindRules
{
    /// <summary>Rules at most; 15 large binaries have about 1,300 different ones together.</summary>
    public const int Limit = 16384;

    private readonly Dictionary<UnwindRule, ushort> _numbers = new() { [default] = 0 };
    private readonly List<UnwindRule> _rules = [default];
    private readonly Lock _lock = new();

    public int Count
    {
        get
        {
            lock (_lock)
            {
                return _rules.Count;
            }
        }
    }

    /// <summary>Rules that found no number since the limit was reached; code with them is stepped by the frame pointer.</summary>
    public long Refused { get; private set; }

    public UnwindRule this[int number]
    {
        get
        {
            lock (_lock)
            {
                return _rules[number];
            }
        }
    }

    /// <summary>The rule's number, a new one if need be; 0 when there are too many rules.</summary>
    public ushort Intern(UnwindRule rule)
    {
        lock (_lock)
        {
            if (_numbers.TryGetValue(rule, out var number))
            {
                return number;
            }

            if (_rules.Count >= Limit)
            {
                Refused++;
                return 0;
            }

            number = (ushort)_rules.Count;
            _rules.Add(rule);
            _numbers.Add(rule, number);
            return number;
        }
    }

    /// <summary>Copies the rules from number <paramref name="first"/> on; returns how many there were.</summary>
    public int CopyFrom(int first, Span<UnwindRule> destination)
    {
        lock (_lock)
        {
            var count = Math.Min(_rules.Count - first, destination.Length);
            _rules.GetRange(first, count).ToArray().CopyTo(destination);
            return count;
        }
    }
}
