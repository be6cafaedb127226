using System.Buffers;
using System.Buffers.Binary;
using System.Security.Cryptography;
using TrackMate.Store.Sql;

namespace TrackMate.Store.Move;

/// <summary>A digest of a table's contents that does not depend on the order of reading: the number of rows, and the sum of their hashes.</summary>
internal sealed class TableDigest(MovedTable table)
{
    private readonly ArrayBufferWriter<byte> row = new();
    private UInt128 sum;

    public long Rows { get; private set; }

    public bool IsOf(TableDigest other) => Rows == other.Rows && sum == other.sum;

    public void Add(Statement rows)
    {
        row.ResetWrittenCount();
        for (var i = 0; i < table.Columns.Count; i++)
        {
            if (rows.IsNull(i)) Put(-1);
            else if (table.Columns[i].Kind is ColumnKind.Number or ColumnKind.SmallNumber) Put(rows.Long(i));
            else Put(MovedText.Of(table, i, rows.Bytes(i)));
        }

        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(row.WrittenSpan, hash);
        sum += BinaryPrimitives.ReadUInt128LittleEndian(hash);
        Rows++;
    }

    private void Put(long number)
    {
        BinaryPrimitives.WriteInt64LittleEndian(row.GetSpan(sizeof(long)), number);
        row.Advance(sizeof(long));
    }

    private void Put(ReadOnlySpan<byte> bytes)
    {
        Put(bytes.Length);
        row.Write(bytes);
    }
}
