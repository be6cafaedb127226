using System.Net;
using TrackMate.Http;

namespace TrackMate.Show;

/// <summary>
/// Counts failed logins by name and address, and makes the next one wait: five are free, then the wait doubles. It counts by both, so that a stranger at another address
/// cannot lock the owner out. The memory is bounded: the oldest entries are dropped first.
/// </summary>
internal sealed class Lockout(TimeProvider time)
{
    private const int FreeFailures = 5;
    private const int MaxRemembered = 10_000;
    private static readonly TimeSpan FirstWait = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan LongestWait = TimeSpan.FromMinutes(15);
    private static readonly TimeSpan EvictedAfter = TimeSpan.FromHours(24);

    private readonly Dictionary<string, (int Failures, DateTimeOffset Last)> failures = new(StringComparer.Ordinal);
    private readonly Lock gate = new();

    /// <summary>
    /// Begins an attempt. It counts as failed until <see cref="Succeeded"/>, so parallel attempts get no more tries than sequential ones.
    /// </summary>
    /// <returns>How long to wait before the next attempt; null if this one is allowed.</returns>
    public TimeSpan? Begin(string name, IPAddress? address)
    {
        var key = KeyOf(name, address);
        var now = time.GetUtcNow();
        lock (gate)
        {
            var known = failures.GetValueOrDefault(key);
            if (now - known.Last > EvictedAfter) known = default;
            if (known.Failures >= FreeFailures && known.Last + WaitAfter(known.Failures) is var until && until > now) return until - now;
            if (failures.Count >= MaxRemembered && !failures.ContainsKey(key)) Evict(now);
            failures[key] = (known.Failures + 1, now);
            return null;
        }
    }

    /// <summary>Withdraws an attempt whose password was not checked.</summary>
    public void Withdraw(string name, IPAddress? address)
    {
        var key = KeyOf(name, address);
        lock (gate)
        {
            if (failures.TryGetValue(key, out var known)) failures[key] = (known.Failures - 1, known.Last);
        }
    }

    public void Succeeded(string name, IPAddress? address)
    {
        lock (gate) failures.Remove(KeyOf(name, address));
    }

    /// <summary>The number of entries, each a name with an address.</summary>
    public int Remembered
    {
        get
        {
            lock (gate) return failures.Count;
        }
    }

    private static TimeSpan WaitAfter(int failed) =>
        TimeSpan.FromTicks(Math.Min(LongestWait.Ticks, FirstWait.Ticks << Math.Min(failed - FreeFailures, 10)));

    private void Evict(DateTimeOffset now)
    {
        foreach (var (key, known) in failures.ToList())
        {
            if (now - known.Last > LongestWait) failures.Remove(key);
        }

        if (failures.Count < MaxRemembered) return;
        foreach (var (key, _) in failures.OrderBy(known => known.Value.Last).Take(MaxRemembered / 10).ToList()) failures.Remove(key);
    }

    // A name can have any length, so only its hash is stored.
    private static string KeyOf(string name, IPAddress? address)
    {
        var network = address is null ? [] : AddressNetwork.Of(address).GetAddressBytes();
        var hash = System.Security.Cryptography.SHA256.HashData(System.Text.Encoding.UTF8.GetBytes(name.Trim().ToLowerInvariant()));
        return Convert.ToHexString(network) + ":" + Convert.ToHexString(hash);
    }
}
