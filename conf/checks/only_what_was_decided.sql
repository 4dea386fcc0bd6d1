-- Rows that would be published though their image is neither kept nor moved, or under another name than was decided.
-- With publish.per_face an image without a name may also be "quarantine unclustered": that is said of one face alone.
SELECT staged.image_id, staged.face_id, decisions.verdict
FROM cleaned_staged AS staged
LEFT JOIN decisions ON decisions.image_id = staged.image_id
WHERE decisions.image_id IS NULL
    OR staged.identity <> coalesce(decisions.moved_to, decisions.identity, staged.identity)
    OR (
        decisions.verdict NOT IN ('keep', 'move')
        AND NOT (decisions.identity IS NULL AND coalesce(decisions.reasons[0] = 'unclustered', false))
    )
