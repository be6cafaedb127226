namespace TrackMate.Store.Sql;

/// <summary>The store cannot take the request now. Nothing of it is stored, and the sender may send it again: 503 with Retry-After.</summary>
public class StoreUnavailableException(string message, Exception? inner = null) : Exception(message, inner)
{
    /// <summary>Whether a writer may still read the messages, so that their memory must not be reused.</summary>
    public bool IsInUse { get; init; }

    /// <summary>The original failure in one line, without the full stop and the position in the statement. Our own message is meant for the sender.</summary>
    public static string CauseOf(Exception e)
    {
        var cause = (e as StoreUnavailableException)?.InnerException ?? e;
        var last = cause.GetBaseException();
        return last == cause ? LineOf(cause) : $"{LineOf(cause)}: {LineOf(last)}";
    }

    private static string LineOf(Exception e) => e.Message.Split('\n')[0].Trim().TrimEnd('.');
}
